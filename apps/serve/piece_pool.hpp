// Room for pieces of large files on their way out, one for each response from disk.
//
// A peer that stops reading holds its piece until it is given up. So there are only so many large
// ones; who finds them all in use gets a small one at once, and waits for nobody.
//
// One thread at a time: a pool per loop. The pool outlives its pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace upcall_serve {

class piece_pool {
  public:
    static constexpr std::size_t large_bytes = std::size_t{256} << 10;
    static constexpr std::size_t large_max = 64;
    static constexpr std::size_t small_bytes = std::size_t{16} << 10;

    piece_pool() { kept_.reserve(kept_max); }
    piece_pool(const piece_pool&) = delete;
    piece_pool& operator=(const piece_pool&) = delete;

    class piece {
      public:
        piece(piece&& other) noexcept
            : home_(other.home_), room_(std::move(other.room_)), bytes_(other.bytes_) {}
        piece& operator=(piece&&) = delete;
        ~piece() {
            if (room_ && bytes_ == large_bytes) home_->give_back(std::move(room_));
        }

        std::size_t bytes() const { return bytes_; }
        std::span<std::byte> room() const { return {room_.get(), bytes_}; }

      private:
        friend piece_pool;
        piece(piece_pool& home, std::unique_ptr<std::byte[]> room, std::size_t bytes)
            : home_(&home), room_(std::move(room)), bytes_(bytes) {}

        piece_pool* home_;
        std::unique_ptr<std::byte[]> room_;
        std::size_t bytes_;
    };

    // Throws std::bad_alloc.
    piece borrow() {
        if (large_ == large_max)
            return {*this, std::make_unique_for_overwrite<std::byte[]>(small_bytes), small_bytes};
        std::unique_ptr<std::byte[]> room;
        if (kept_.empty()) {
            room = std::make_unique_for_overwrite<std::byte[]>(large_bytes);
        } else {
            room = std::move(kept_.back());
            kept_.pop_back();
        }
        ++large_;
        return {*this, std::move(room), large_bytes};
    }

    // Large ones in use.
    std::size_t large() const { return large_; }

  private:
    static constexpr std::size_t kept_max = 16;

    void give_back(std::unique_ptr<std::byte[]> room) {
        --large_;
        if (kept_.size() < kept_max) kept_.push_back(std::move(room));
    }

    std::size_t large_ = 0;
    std::vector<std::unique_ptr<std::byte[]>> kept_;
};

}  // namespace upcall_serve
