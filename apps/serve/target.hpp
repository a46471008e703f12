// From a request's target to the name of a file beneath the root.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include "serve/request_line.hpp"

namespace upcall_serve {

struct path_rules {
    // Serve segments that begin with a dot. Without it only /.well-known/ (RFC 8615) is.
    bool dotfiles = false;
    // Refuse what Windows reads as another file: devices, drives and streams (':'), wildcards,
    // and a dot or space at the end of a name.
    bool windows_names =
#ifdef _WIN32
        true;
#else
        false;
#endif
};

struct target_path {
    // Relative, without dot segments or empty segments, valid UTF-8, followed by a NUL that it
    // does not count; "." is the root. Fit for openat2 with RESOLVE_BENEATH.
    std::string_view path;
    // The target ended in a slash, so it asks for a directory.
    bool directory = false;
    // What follows the first '?', as it came.
    std::string_view query;
};

// What decode_target writes at most for a target of `bytes` bytes.
constexpr std::size_t decoded_target_bytes(std::size_t bytes) { return bytes + 2; }

// Decodes `target` (a path that begins with a slash, or is empty before a query) into `out`, which
// the path points into. Percent-escapes are decoded once, before anything is judged. 400 for a bad
// escape, an encoded slash, a backslash, a control character, a dot segment or bytes that are not
// UTF-8; 404 for a name that the rules hide; 414 when `out` is too small. Repeated slashes count as
// one.
std::expected<target_path, refusal> decode_target(std::string_view target, std::span<char> out,
                                                  const path_rules& rules = {});

// Whether a target can lead to a file of this name in a directory. `name` is not empty.
bool can_be_asked_for(std::string_view name, const path_rules& rules = {});

}  // namespace upcall_serve
