// The two parts of a path: where, and by which name.
#pragma once

#include <string_view>

namespace upcall::detail {

struct path_parts {
    std::string_view folder;  // never empty
    std::string_view name;    // empty for a path that names no file
};

inline path_parts split(std::string_view path) noexcept {
#ifdef _WIN32
    constexpr std::string_view separators = "/\\";
#else
    constexpr std::string_view separators = "/";
#endif
    const auto last = path.find_last_of(separators);
    if (last == path.npos) return {".", path};
    return {path.substr(0, last == 0 ? 1 : last), path.substr(last + 1)};
}

}  // namespace upcall::detail
