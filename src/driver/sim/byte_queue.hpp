// Bytes, first in, first out.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include <upcall/base/buffer.hpp>

namespace upcall::sim {

class byte_queue {
  public:
    bool empty() const noexcept { return begin_ == bytes_.size(); }
    std::size_t size() const noexcept { return bytes_.size() - begin_; }

    void push(byte_view more) {
        if (begin_ > bytes_.size() / 2) {
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
            begin_ = 0;
        }
        bytes_.insert(bytes_.end(), more.begin(), more.end());
    }

    /// The first `count` bytes; valid until the next call. `count` is at most size().
    byte_view front(std::size_t count) const noexcept { return {bytes_.data() + begin_, count}; }
    void drop(std::size_t count) noexcept { begin_ += count; }

  private:
    std::vector<std::byte> bytes_;
    std::size_t begin_ = 0;
};

}  // namespace upcall::sim
