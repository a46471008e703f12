// What the file system beneath a path offers to asynchronous and direct I/O.
#pragma once

#include <cstdint>
#include <string>

#include <upcall/base/result.hpp>

namespace upcall {

/// Facts about the file system of one path.
struct file_system_facts {
    /// Its name as mount(8) knows it: "ext4", "overlay", "tmpfs"; empty if unknown.
    std::string type;

    enum class direct : std::uint8_t {
        unknown,      // the kernel cannot tell (before 6.1), or the file system does not
        unsupported,  // O_DIRECT is refused
        supported,
    };
    direct direct_io = direct::unknown;
    /// Alignment of memory, of offsets and lengths, and of the offsets of reads alone, in bytes.
    /// 0 where direct_io is not `supported`.
    std::uint32_t memory_alignment = 0;
    std::uint32_t offset_alignment = 0;
    std::uint32_t read_offset_alignment = 0;
    /// The preferred size of a transfer (st_blksize).
    std::uint32_t preferred_size = 0;
    /// How direct_io was found: "statx", "open" or empty.
    std::string source;
};

/// Looks at the file system of `path`. A directory is judged by an unnamed temporary file in it
/// (O_TMPFILE), which leaves nothing behind; where that cannot be made, direct_io stays unknown.
/// May block on a slow file system: call it at start or from the pool.
/// Errors: those of stat(2) for a path that cannot be looked at. Source: statx(2), STATX_DIOALIGN.
result<file_system_facts> probe_file_system(const std::string& path);

}  // namespace upcall
