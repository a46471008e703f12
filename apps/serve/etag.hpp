// Entity tags (RFC 9110, section 8.8.3): made from what the file system says of a file, and
// compared with the lists that clients send.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace upcall_serve {

// A strong tag, quotes included.
class etag {
  public:
    // Files that differ in any of the three get different tags, but for a chance of 2^-64. The
    // inode is mixed in, not shown: it tells strangers about the disk.
    static etag of_file(std::int64_t modified_ns, std::uint64_t bytes, std::uint64_t inode);

    std::string_view text() const { return {text_.data(), bytes_}; }

  private:
    etag() = default;

    std::array<char, 35> text_;  // quote, 16 digits, dash, up to 16 digits, quote
    std::uint8_t bytes_ = 0;
};

// A tag as a client sent it.
struct sent_etag {
    bool weak = false;
    std::string_view quoted;
};

// Takes the first tag off a list, with the blanks and commas before it. Nothing at the list's
// end or where it is malformed; then `list` is empty or not, respectively.
std::optional<sent_etag> take_etag(std::string_view& list);

enum class etag_comparison : std::uint8_t { strong, weak };

// What a list of tags says about one: `malformed` lists match nothing that stands before the
// fault, as a list that cannot be read promises nothing.
enum class etag_match : std::uint8_t { none, found, malformed };

// `list` is a field's value: tags or "*", which every tag matches. `tag` is strong and quoted.
etag_match match_etag(std::string_view list, std::string_view tag, etag_comparison how);

}  // namespace upcall_serve
