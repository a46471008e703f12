// How much of its stack a thread uses, seen from inside the functions that run on it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace upcall::testing {

class stack_use {
  public:
    /// Called wherever the stack might be deep.
    [[gnu::noinline]] void look() noexcept {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        lowest_ = std::min(lowest_, here);
        highest_ = std::max(highest_, here);
        ++looks_;
    }
    /// Bytes between the deepest look and the shallowest.
    std::size_t bytes() const noexcept { return looks_ == 0 ? 0 : highest_ - lowest_; }
    std::size_t looks() const noexcept { return looks_; }

  private:
    std::uintptr_t lowest_ = UINTPTR_MAX;
    std::uintptr_t highest_ = 0;
    std::size_t looks_ = 0;
};

}  // namespace upcall::testing
