// What engines have to know of an open file before they take transfers on it.
#pragma once

#include <cstdint>

namespace upcall {

struct file_facts {
    bool is_seekable_file = false;  // a regular file or a block device
    bool is_direct = false;         // O_DIRECT
    bool appends = false;           // O_APPEND
};

/// Two system calls. A descriptor that cannot be asked is nothing of all that.
file_facts look_at_file(int fd) noexcept;

}  // namespace upcall
