// What io_uring has to know of a file: whether it must not be read on the loop's thread, and
// whether a disk waits for its transfers.
#pragma once

#include <cstdint>

namespace upcall {

/// Knows the mount that it was asked about last, as a program opens most of its files on one.
class stalling_mounts {
  public:
    /// Whether transfers of the file wait for a process instead of a disk (FUSE). Such a file
    /// system takes part in attempts that may not wait, and waits all the same: io_uring_enter(2)
    /// would not return before its server answers. Asks the kernel, and not the server, from
    /// Linux 6.8 on.
    bool hold(int fd) noexcept;

  private:
    std::uint64_t known_ = 0;
    bool known_stalls_ = false;
};

/// Whether the file was opened to be transferred past the page cache (O_DIRECT).
bool goes_past_page_cache(int fd) noexcept;

}  // namespace upcall
