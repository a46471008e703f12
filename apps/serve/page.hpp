// The pages that the server makes itself, and the heads that go with them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "serve/response_head.hpp"

namespace upcall_serve {

// Error pages by status: built in, or the owner's. Made at the start and shared from then on.
class error_pages {
  public:
    error_pages();

    // The page for `status` from now on; `html` is sent as it is.
    void replace(int status, std::string html) { pages_[status] = std::move(html); }

    // The page's HTML, for any status that this server sends.
    std::string_view html(int status) const;

  private:
    std::unordered_map<int, std::string> pages_;
};

// Writes the head of an error response whose body has `html_bytes`. `lines` are further fields;
// 405 brings its Allow itself.
void put_error_head(text_writer& out, const connection_state& connection, int status,
                    std::uint64_t html_bytes, std::string_view lines = {});

// Writes a whole 301 response, without a body, to the name of a directory with its slash. `path`
// and `query` are those of a target_path; the path is written anew, so that it stays on this host.
void put_directory_redirect(text_writer& out, const connection_state& connection,
                            std::string_view path, std::string_view query);

// What the listing of a directory says of one entry.
struct listing_entry {
    std::string name;
    bool directory = false;
    std::uint64_t bytes = 0;
    std::int64_t modified = 0;  // seconds
};

// A page that lists `entries`, directories first and then by name; sorts them to that end.
// `path` is the target_path of the directory.
std::string make_listing(std::string_view path, std::span<listing_entry> entries);

void put_listing_head(text_writer& out, const connection_state& connection,
                      std::uint64_t html_bytes);

// A 304 in its place.
void put_listing_kept(text_writer& out, const connection_state& connection);

}  // namespace upcall_serve
