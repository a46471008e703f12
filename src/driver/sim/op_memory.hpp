// The memory of an operation, whether it is one buffer or a vector of slices.
#pragma once

#include <cstddef>
#include <span>

#include <upcall/driver/io_operation.hpp>

namespace upcall::sim {

class op_memory {
  public:
    explicit op_memory(const io_operation& op) noexcept;

    std::size_t size() const noexcept;

    /// Copies the operation's bytes from `at` on to `bytes`.
    void load(std::size_t at, byte_span bytes) const noexcept;
    /// The reverse. The memory is guarded before and after (driver/guard.hpp).
    void store(std::size_t at, byte_view bytes) const noexcept;

  private:
    template <class Visit>
    void for_part(std::size_t at, std::size_t count, Visit&& visit) const noexcept;
    std::span<const io_slice> slices() const noexcept {
        return vector_ ? std::span(vector_, count_) : std::span(&single_, 1);
    }

    io_slice single_;
    const io_slice* vector_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace upcall::sim
