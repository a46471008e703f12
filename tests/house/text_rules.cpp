#include "text_rules.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

namespace house {
namespace {

namespace fs = std::filesystem;

constexpr int longest_file = 600;

// Put together from halves, so that this file does not name them.
const std::string unfinished_words[] = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                        std::string("XX") + "X"};

const char* const text_extensions[] = {".cpp", ".hpp", ".c",  ".h",   ".cmake", ".txt", ".in",
                                       ".md",  ".py",  ".sh", ".yml", ".html",  ".css", ".js"};
const char* const code_extensions[] = {".cpp", ".hpp", ".c", ".h", ".py", ".sh", ".cmake"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool contains_word(std::string_view line, std::string_view word) {
    for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || !is_word(line[at - 1])) && (end == line.size() || !is_word(line[end])))
            return true;
    }
    return false;
}

/// An absolute path: not the tail of a longer one, such as ${root}/home/x.
bool contains_path(std::string_view line, std::string_view path) {
    constexpr std::string_view openers = " \t\"'=(<>:;,`";
    for (auto at = line.find(path); at != std::string_view::npos; at = line.find(path, at + 1)) {
        const auto end = at + path.size();
        const bool begins = at == 0 || openers.find(line[at - 1]) != std::string_view::npos;
        if (begins && (end == line.size() || path.ends_with('/') || !is_word(line[end])))
            return true;
    }
    return false;
}

class reader {
  public:
    reader(fs::path root, const std::vector<std::string>& forbidden_paths)
        : root_(std::move(root)),
          paths_{
              "/ho"
              "me/",
              "/ro"
              "ot/",
              "/Us"
              "ers/"} {
        // A tree at /src would forbid half of the prose; only a path that cannot be anything
        // else is looked for.
        for (const auto& path : forbidden_paths)
            if (std::ranges::count(path, '/') > 1) paths_.push_back(path);
    }

    void read_below(const fs::path& folder) {
        if (!fs::exists(root_ / folder)) return;
        for (const auto& entry : fs::recursive_directory_iterator(root_ / folder))
            if (entry.is_regular_file()) read(entry.path());
    }

    void read(const fs::path& file) {
        const auto extension = file.extension().string();
        // Scripts have no extension; neither have the corpora of the fuzz targets.
        if (extension.empty() && file.lexically_relative(root_).begin()->string() == "tests")
            return;
        if (!extension.empty() &&
            std::ranges::find(text_extensions, extension) == std::end(text_extensions))
            return;
        name_ = file.lexically_relative(root_).generic_string();
        std::ifstream input(file);
        std::string line;
        int number = 0;
        while (std::getline(input, line)) read_line(line, ++number);
        const bool code =
            std::ranges::find(code_extensions, extension) != std::end(code_extensions);
        if (code && number > longest_file)
            complain(number, "a file of more than " + std::to_string(longest_file) + " lines");
    }

    std::vector<std::string> found() && { return std::move(found_); }

  private:
    void read_line(std::string_view line, int number) {
        for (const auto& word : unfinished_words)
            if (contains_word(line, word)) complain(number, "unfinished: " + word);
        for (const auto& path : paths_)
            if (contains_path(line, path)) complain(number, "a path of one machine: " + path);
    }

    void complain(int number, const std::string& what) {
        found_.push_back(name_ + ":" + std::to_string(number) + ": " + what);
    }

    fs::path root_;
    std::vector<std::string> paths_;
    std::string name_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> text_breaches(const fs::path& root,
                                       const std::vector<std::string>& forbidden_paths) {
    reader files(root, forbidden_paths);
    for (const char* folder : {".ci", "apps", "bench", "cmake", "docs", "examples", "include",
                               "site", "src", "tests", "tools"})
        files.read_below(folder);
    for (const auto& entry : fs::directory_iterator(root))
        if (entry.is_regular_file()) files.read(entry.path());
    auto found = std::move(files).found();
    std::ranges::sort(found);
    return found;
}

}  // namespace house
