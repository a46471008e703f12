// Memory with an alignment, for I/O past the page cache.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <upcall/base/buffer.hpp>

namespace upcall {

/// Owns bytes, which stay where they are when it is moved. Move-only. Any thread.
class aligned_buffer {
  public:
    /// No bytes.
    aligned_buffer() = default;
    /// `size` bytes of any content, aligned to a power of two. Throws std::bad_alloc.
    explicit aligned_buffer(std::size_t size, std::size_t alignment = 4096)
        : data_(static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment)))),
          size_(size),
          alignment_(alignment) {}
    aligned_buffer(aligned_buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          alignment_(other.alignment_) {}
    aligned_buffer& operator=(aligned_buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(alignment_, other.alignment_);
        return *this;
    }
    ~aligned_buffer() {
        if (data_) ::operator delete(data_, std::align_val_t(alignment_));
    }

    /// All of it; valid as long as this owns it.
    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    byte_span span() const noexcept { return {data_, size_}; }
    operator byte_span() const noexcept { return span(); }
    operator byte_view() const noexcept { return span(); }

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t alignment_ = 1;
};

}  // namespace upcall
