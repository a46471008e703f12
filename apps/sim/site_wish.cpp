#include "sim/site_wish.hpp"

#include "serve/page.hpp"
#include "sim/wire.hpp"

namespace upcall_sim {

namespace {

using contents = std::array<std::array<std::string, versions_max>, site_files.size()>;

contents made_contents() {
    contents all;
    for (std::size_t file = 0; file < site_files.size(); ++file)
        for (unsigned version = 0; version < versions_max; ++version) {
            std::string& text = all[file][version];
            text.resize(size_of(file, version));
            for (std::size_t at = 0; at < text.size(); ++at) {
                const std::uint64_t drawn = mixed((file * versions_max + version) * 7919 + at / 6);
                text[at] = static_cast<char>('a' + (drawn >> (at % 6 * 8)) % 26);
            }
        }
    return all;
}

/// Finds the version with that size, or tells that none has it that anybody may have seen.
const char* find_content(std::size_t file, std::uint64_t size, const site_board& known,
                         std::string_view& into) {
    for (unsigned version = 0; version <= known.versions[file]; ++version)
        if (size == size_of(file, version)) {
            into = content_of(file, version);
            return nullptr;
        }
    return "a file has a size that it never had";
}

const char* fault_of_whole(const wish& asked, const answer_head& head, std::string_view body,
                           const site_board& known) {
    std::string_view content;
    if (const char* wrong = find_content(asked.file, head.length, known, content)) return wrong;
    if (asked.wants_body() && body != content) return "a file is none of its versions";
    return nullptr;
}

const char* fault_of_part(const wish& asked, const answer_head& head, std::string_view body,
                          const site_board& known) {
    std::string_view content;
    if (const char* wrong = find_content(asked.file, head.total, known, content)) return wrong;
    const std::uint64_t last = std::min<std::uint64_t>(asked.last, head.total - 1);
    if (head.first != asked.first || head.last != last || head.length != last - head.first + 1)
        return "a part is not the one that was asked for";
    if (body != content.substr(head.first, head.length)) return "a part is of no version";
    return nullptr;
}

const char* fault_of_missing(const answer_head& head, std::string_view body) {
    static const upcall_serve::error_pages pages;
    if (head.status != 404) return "what is missing was found";
    return body == pages.html(404) ? nullptr : "the page for what is missing is damaged";
}

std::string_view field_of(const wish& asked) {
    switch (asked.what) {
        case wish::kind::part_if_same:
            return "If-Range: ";
        case wish::kind::unless_same:
            return "If-None-Match: ";
        default:
            return {};
    }
}

}  // namespace

std::string_view content_of(std::size_t file, unsigned version) {
    static const contents all = made_contents();
    return all[file][version];
}

std::string wish::text() const {
    std::string all = what == kind::head ? "HEAD /" : "GET /";
    all += what == kind::missing ? std::string_view("nothing") : site_files[file].name;
    all += " HTTP/1.1\r\nHost: site\r\n";
    if (what == kind::part || what == kind::part_if_same)
        all += "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last) + "\r\n";
    if (const std::string_view name = field_of(*this); !name.empty()) {
        all += name;
        all += etag;
        all += "\r\n";
    }
    return all + "\r\n";
}

wish drawn_wish(upcall::choices& chosen, const std::string& etag) {
    using kind = wish::kind;
    wish made;
    // Large files are asked for seldom: they are most of the bytes.
    const auto size = chosen.below(16);
    made.file = size < 8 ? 0 : size < 12 ? 1 : size < 15 ? 2 : 3;
    const auto what = chosen.below(12);
    if (what < 5) return made;
    constexpr kind rare[] = {kind::head,         kind::missing,     kind::part, kind::part,
                             kind::part_if_same, kind::unless_same, kind::whole};
    made.what = rare[what - 5];
    const bool compares = made.what == kind::part_if_same || made.what == kind::unless_same;
    if (compares && etag.empty()) made.what = kind::whole;
    made.etag = etag;
    made.first = chosen.below(site_files[made.file].bytes);
    made.last = made.first + chosen.below(site_files[made.file].bytes);
    return made;
}

const char* fault_of(const wish& asked, const answer_head& head, std::string_view body,
                     const site_board& known) {
    using kind = wish::kind;
    if (asked.what == kind::missing) return fault_of_missing(head, body);
    switch (head.status) {
        case 200:
            if (asked.what == kind::part) return "the whole of a file in place of a part";
            return fault_of_whole(asked, head, body, known);
        case 206:
            if (asked.what != kind::part && asked.what != kind::part_if_same)
                return "a part of a file in place of the whole";
            return fault_of_part(asked, head, body, known);
        case 304:
            if (asked.what != kind::unless_same) return "nothing, because it has not changed";
            return head.etag == asked.etag ? nullptr : "unchanged, but another version";
        default:
            return "an answer to something else";
    }
}

}  // namespace upcall_sim
