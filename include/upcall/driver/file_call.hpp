// Calls on files that always block in the kernel, as data: the pool runs them on real systems, the
// simulator on its model disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <upcall/driver/handle.hpp>

namespace upcall {

/// The calls, and what each reads of file_call_arguments → what it answers. Where no value is
/// named the result is 0. A path is relative to `directory`. Errors: those of the call named, or
/// of its like with "at" (openat(2), …), as negated errno.
enum class file_call : std::uint8_t {
    open,            // path, options, mode → native handle
    status,          // path, or target when path is null → status
    sync,            // target: fsync(2)
    sync_data,       // target: fdatasync(2)
    truncate,        // target to `size`
    allocate,        // target: room for offset..offset+size (posix_fallocate(3))
    rename,          // path → other_path
    remove_file,     // path
    make_directory,  // path, mode
    remove_directory,
    list_directory,   // target, or path → entries
    set_permissions,  // target: `mode` (fchmod(2))
    copy,             // target → other at the kernel's best: up to `size` bytes from offset
};

/// Ways to open; a set of bits. At least one of open_read and open_write.
enum open_options : std::uint32_t {
    open_read = 1,
    open_write = 2,
    open_create = 4,
    open_exclusive = 8,  // with open_create: fails if it exists
    open_truncate = 16,
    open_append = 32,
    open_direct = 64,    // past the page cache; buffers, offsets and lengths must be aligned
    open_durable = 128,  // O_DSYNC: a write completes when its data is durable
    open_directory = 256,
    open_beneath = 512,       // the path may not leave `directory`, through symbolic links either
    open_regular = 1024,      // refuses anything but a regular file, without ever waiting for one
    open_no_symlinks = 2048,  // with open_beneath: the path may have no symbolic link in it
};

/// What a name in a file system stands for.
enum class file_type : std::uint8_t {
    unknown,
    regular,
    directory,
    symbolic_link,
    fifo,
    socket,
    device
};

/// What statx(2) says of a file. Times are nanoseconds since 1970.
struct file_status {
    file_type type = file_type::unknown;
    std::uint32_t permissions = 0;  // the bits of chmod(2)
    std::uint64_t size = 0;         // bytes
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t links = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    /// What O_DIRECT asks for; 0: not supported, or not known.
    std::uint32_t direct_memory_alignment = 0;
    std::uint32_t direct_offset_alignment = 0;
};

/// One name in a directory, without its path. The type is `unknown` where the file system does not
/// keep it with the name (readdir(3)).
struct directory_entry {
    std::string name;
    file_type type = file_type::unknown;
};

/// What a file call is given, and where it puts its answer. All that is pointed to stays its
/// owner's, and where it is, until the completion; so does this. Offsets and sizes are in bytes.
struct file_call_arguments {
    file_call what{};
    /// Null-terminated; relative to `directory`, or to the working directory when that is null.
    const char* path = nullptr;
    const char* other_path = nullptr;
    handle_record* directory = nullptr;
    handle_record* other = nullptr;
    std::uint32_t options = 0;  // open_options
    std::uint32_t mode = 0;     // permissions
    std::uint64_t offset = 0;
    std::uint64_t other_offset = 0;
    std::uint64_t size = 0;
    file_status* status = nullptr;                    // filled in by `status`
    std::vector<directory_entry>* entries = nullptr;  // filled in by `list_directory`
};

}  // namespace upcall
