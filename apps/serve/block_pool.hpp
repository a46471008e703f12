// Blocks of one size, kept for the next borrower. A connection borrows one while a request lies
// astride two receives, so that an idle connection owns none and a busy server allocates none.
//
// One thread at a time: a pool per loop. The pool outlives its blocks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace upcall_serve {

class block_pool {
  public:
    // `kept_max` blocks at most stay with the pool; what comes back beyond them is freed.
    explicit block_pool(std::size_t block_bytes, std::size_t kept_max = 64)
        : block_bytes_(block_bytes), kept_max_(kept_max) {
        kept_.reserve(kept_max);
    }

    block_pool(const block_pool&) = delete;
    block_pool& operator=(const block_pool&) = delete;

    class block {
      public:
        block() = default;
        block(block&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::move(other.bytes_)) {}
        block& operator=(block&& other) noexcept {
            if (this != &other) {
                release();
                pool_ = std::exchange(other.pool_, nullptr);
                bytes_ = std::move(other.bytes_);
            }
            return *this;
        }
        ~block() { release(); }

        explicit operator bool() const { return bytes_ != nullptr; }
        char* data() const { return bytes_.get(); }
        std::span<char> room() const { return {bytes_.get(), bytes_ ? pool_->block_bytes_ : 0}; }

        void release() {
            if (bytes_) pool_->give_back(std::move(bytes_));
            bytes_ = nullptr;
        }

      private:
        friend block_pool;
        block(block_pool& pool, std::unique_ptr<char[]> bytes)
            : pool_(&pool), bytes_(std::move(bytes)) {}

        block_pool* pool_ = nullptr;
        std::unique_ptr<char[]> bytes_;
    };

    // Throws std::bad_alloc when none is kept and memory is out.
    block borrow() {
        if (kept_.empty()) return {*this, std::make_unique_for_overwrite<char[]>(block_bytes_)};
        auto bytes = std::move(kept_.back());
        kept_.pop_back();
        return {*this, std::move(bytes)};
    }

    std::size_t block_bytes() const { return block_bytes_; }
    std::size_t kept() const { return kept_.size(); }

  private:
    void give_back(std::unique_ptr<char[]> bytes) {
        if (kept_.size() < kept_max_) kept_.push_back(std::move(bytes));
    }

    std::size_t block_bytes_;
    std::size_t kept_max_;
    std::vector<std::unique_ptr<char[]>> kept_;
};

}  // namespace upcall_serve
