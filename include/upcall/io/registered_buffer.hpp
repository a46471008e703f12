// Memory for transfers of files that the kernel knows in advance.
//
// Reading past the page cache (open_direct) means that the kernel finds and pins the pages of the
// buffer for each transfer. With io_uring that can be done once: take one large registered buffer,
// and let the transfers read into parts of it.
#pragma once

#include <utility>

#include <upcall/base/aligned_buffer.hpp>
#include <upcall/base/result.hpp>

namespace upcall {

class loop;

/// Page-aligned bytes for the transfers of one loop's files, registered with its driver where that
/// is possible (io_uring from Linux 6.14 on, at most 256 a loop, within RLIMIT_MEMLOCK), and plain
/// memory elsewhere: `file`'s operations look by themselves whether their buffer lies in one.
/// Vectored transfers use it as plain memory. Move-only. Made, moved and destroyed on the loop's
/// thread, and destroyed before the loop; as any buffer, only after the transfers that use it.
class registered_buffer {
  public:
    /// No bytes.
    registered_buffer() = default;
    /// `size` bytes of any content, on the current loop; not being registered is no error. Errors:
    /// no_loop; not_enough_memory.
    static result<registered_buffer> create(std::size_t size);

    registered_buffer(registered_buffer&& other) noexcept
        : memory_(std::move(other.memory_)), home_(std::exchange(other.home_, nullptr)) {}
    registered_buffer& operator=(registered_buffer&& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(home_, other.home_);
        return *this;
    }
    ~registered_buffer();

    /// All of it; valid as long as this owns it.
    std::byte* data() const noexcept { return memory_.data(); }
    std::size_t size() const noexcept { return memory_.size(); }
    byte_span span() const noexcept { return memory_.span(); }
    operator byte_span() const noexcept { return span(); }
    operator byte_view() const noexcept { return span(); }

    /// Whether the kernel knows it.
    bool is_registered() const noexcept { return home_ != nullptr; }

  private:
    explicit registered_buffer(aligned_buffer memory) noexcept : memory_(std::move(memory)) {}

    aligned_buffer memory_;
    loop* home_ = nullptr;
};

}  // namespace upcall
