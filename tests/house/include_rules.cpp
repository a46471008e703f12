#include "include_rules.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

namespace house {
namespace {

namespace fs = std::filesystem;

bool matches(std::string_view header, std::string_view pattern) {
    if (pattern.ends_with('*')) return header.starts_with(pattern.substr(0, pattern.size() - 1));
    return header == pattern;
}

bool matches_any(std::string_view header, const std::vector<std::string>& patterns) {
    return std::ranges::any_of(patterns, [&](const auto& p) { return matches(header, p); });
}

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::size_t begin = 1;
    for (std::size_t end; (end = line.find('|', begin)) != std::string::npos; begin = end + 1)
        cells.push_back(line.substr(begin, end - begin));
    return cells;
}

/// What stands between backquotes.
std::vector<std::string> names_in(std::string_view text) {
    std::vector<std::string> names;
    while (true) {
        const auto begin = text.find('`');
        if (begin == std::string_view::npos) return names;
        const auto end = text.find('`', begin + 1);
        if (end == std::string_view::npos) return names;
        names.emplace_back(text.substr(begin + 1, end - begin - 1));
        text.remove_prefix(end + 1);
    }
}

room room_from(std::string_view uses, std::string_view kernel_headers) {
    room row;
    for (auto& name : names_in(uses)) row.uses.insert(std::move(name));
    row.kernel_headers = names_in(kernel_headers);
    row.every_kernel_header =
        row.kernel_headers.empty() && kernel_headers.find("all") != std::string_view::npos;
    return row;
}

struct include_line {
    std::string header;
    bool quoted = false;
};

std::optional<include_line> parse_include(std::string_view line) {
    const auto skip_blanks = [&] {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) return std::nullopt;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) return std::nullopt;
    line.remove_prefix(7);
    skip_blanks();
    if (line.empty() || (line[0] != '<' && line[0] != '"')) return std::nullopt;
    const bool quoted = line[0] == '"';
    const auto end = line.find(quoted ? '"' : '>', 1);
    if (end == std::string_view::npos) return std::nullopt;
    return include_line{std::string(line.substr(1, end - 1)), quoted};
}

/// Where a file stands: the top folder, and the room if that folder has rooms.
struct place {
    std::string folder;  // include, src, apps or examples
    std::string room;    // empty for include/upcall/upcall.hpp and for programs
    std::string row;     // the row of the program's folder
};

std::string first_part(const fs::path& path) {
    return path.empty() || !path.has_parent_path() ? std::string() : path.begin()->string();
}

place place_of(const include_rules& rules, const fs::path& relative) {
    const auto folder = relative.begin()->string();
    if (folder == "include")
        return {folder, first_part(relative.lexically_relative("include/upcall")), {}};
    if (folder == "src") return {folder, first_part(relative.lexically_relative("src")), {}};
    // The deepest folder that has a row.
    std::string row = folder;
    for (auto above = relative.parent_path(); !above.empty(); above = above.parent_path()) {
        if (!rules.programs.contains(above.generic_string())) continue;
        row = above.generic_string();
        break;
    }
    return {folder, {}, row};
}

class checker {
  public:
    checker(const include_rules& rules, const fs::path& root) : rules_(rules), root_(root) {}

    void check_file(const fs::path& file) {
        const auto relative = file.lexically_relative(root_);
        const auto here = place_of(rules_, relative);
        std::ifstream input(file);
        std::string line;
        for (int number = 1; std::getline(input, line); ++number) {
            const auto included = parse_include(line);
            if (!included) continue;
            const auto complaint = complaint_about(file, here, *included);
            if (!complaint.empty())
                found_.push_back(relative.generic_string() + ":" + std::to_string(number) + ": " +
                                 complaint);
        }
    }

    std::vector<std::string> found() && { return std::move(found_); }

  private:
    bool is_program(const place& here) const { return rules_.programs.contains(here.folder); }

    std::string complaint_about(const fs::path& file, const place& here,
                                const include_line& included) const {
        if (!here.room.empty() && !rules_.rooms.contains(here.room))
            return "the room " + here.room + " has no row in docs/rooms.md";
        if (included.header.starts_with("upcall/")) return about_public(here, included.header);
        if (included.quoted) return about_quoted(file, here, included.header);
        return about_system(here, included.header);
    }

    std::string about_public(const place& here, const std::string& header) const {
        const auto target = first_part(fs::path(header).lexically_relative("upcall"));
        if (is_program(here)) {
            if (header.find("/detail/") != std::string::npos)
                return "a program includes the machinery <" + header + ">";
            return {};
        }
        return about_room(here, target, header);
    }

    /// A quoted include names a file beside its own, or below the folder that stands first in
    /// the search path: src/ for the library, the program's own folder for programs.
    std::string about_quoted(const fs::path& file, const place& here,
                             const std::string& header) const {
        auto target = (file.parent_path() / header).lexically_normal();
        if (!fs::exists(target))
            target = root_ / (here.folder == "include" ? "src" : here.folder) / header;
        if (is_program(here) && !fs::exists(target)) target = root_ / "src" / header;
        if (!fs::exists(target)) return about_system(here, header);
        const auto there = place_of(rules_, target.lexically_normal().lexically_relative(root_));
        if (is_program(here))
            return there.folder == here.folder ||
                           (there.folder == "src" &&
                            rules_.programs.at(here.row).uses.contains(header))
                       ? std::string()
                       : "a program includes \"" + header + "\" of " + there.folder + "/";
        if (here.folder == "include" && there.folder != "include")
            return "a public header includes \"" + header + "\" of " + there.folder + "/";
        return about_room(here, there.room, header);
    }

    std::string about_room(const place& here, const std::string& target,
                           const std::string& header) const {
        if (here.room.empty() || target == here.room) return {};
        if (rules_.rooms.at(here.room).uses.contains(target)) return {};
        return here.room + " may not use " + (target.empty() ? header : target) + " (" + header +
               ")";
    }

    std::string about_system(const place& here, const std::string& header) const {
        if (!matches_any(header, rules_.kernel_headers)) return {};
        room row;
        if (is_program(here)) row = rules_.programs.at(here.row);
        if (!here.room.empty()) row = rules_.rooms.at(here.room);
        if (row.every_kernel_header || matches_any(header, row.kernel_headers)) return {};
        return (is_program(here)    ? here.row + "/"
                : here.room.empty() ? here.folder + "/"
                                    : here.room) +
               " may not include the kernel header <" + header + ">";
    }

    const include_rules& rules_;
    fs::path root_;
    std::vector<std::string> found_;
};

}  // namespace

include_rules read_include_rules(const fs::path& table) {
    include_rules rules;
    std::ifstream input(table);
    bool in_kernel_headers = false;
    for (std::string line; std::getline(input, line);) {
        if (line.starts_with("Kernel headers:")) in_kernel_headers = true;
        if (line.empty()) in_kernel_headers = false;
        if (in_kernel_headers)
            for (auto& name : names_in(line)) rules.kernel_headers.push_back(std::move(name));
        if (!line.starts_with("| `")) continue;
        const auto cells = cells_of(line);
        const auto names = names_in(cells.at(0));
        if (names.size() == 1 && cells.size() == 4) {
            rules.order.push_back(names[0]);
            rules.rooms[names[0]] = room_from(cells[1], cells[2]);
        } else if (names.size() == 1 && cells.size() == 3 && names[0].ends_with('/')) {
            rules.programs[names[0].substr(0, names[0].size() - 1)] = room_from(cells[2], cells[1]);
        }
    }
    return rules;
}

std::vector<std::string> forbidden_includes(const include_rules& rules, const fs::path& root) {
    checker check(rules, root);
    for (const char* folder : {"include", "src", "apps", "examples"}) {
        if (!fs::exists(root / folder)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            const auto extension = entry.path().extension();
            if (extension == ".hpp" || extension == ".cpp" || extension == ".h" ||
                extension == ".c")
                check.check_file(entry.path());
        }
    }
    auto found = std::move(check).found();
    std::ranges::sort(found);
    return found;
}

}  // namespace house
