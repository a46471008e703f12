// Opening files, and what directories and inodes tell of them.
#pragma once

#include <upcall/driver/file_call.hpp>

namespace upcall {

/// Opens asked.path by asked.options: a descriptor, or a raw error. Not a regular file though
/// `open_regular` asked for one: EISDIR for a directory, EINVAL for anything else. A path that
/// leaves `directory` though `open_beneath` forbids it: EXDEV.
std::int64_t open_file(const file_call_arguments& asked) noexcept;

/// Status of asked.path, symbolic links followed, or of `fd` when that is null.
std::int64_t read_status(int fd, const file_call_arguments& asked) noexcept;

/// Names in asked.path, or in the directory `fd` when that is null, in the file system's order and
/// without "." and "..". Replaces what was in asked.entries.
std::int64_t list_directory(int fd, const file_call_arguments& asked) noexcept;

}  // namespace upcall
