// A run of objects that never move: made one after the other in memory reserved beforehand.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <upcall/base/fatal.hpp>

namespace upcall {

/// Owns its objects, which are destroyed with it, last first. Moving it moves none of them.
template <class T>
class pinned_array {
  public:
    pinned_array() = default;
    /// Reserves room for `capacity` objects. Throws std::bad_alloc.
    explicit pinned_array(std::size_t capacity) : capacity_(capacity) {
        if (capacity > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_alloc();
        first_ =
            static_cast<T*>(::operator new(capacity * sizeof(T), std::align_val_t{alignof(T)}));
    }
    pinned_array(pinned_array&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    pinned_array& operator=(pinned_array&&) = delete;
    ~pinned_array() {
        while (size_ > 0) first_[--size_].~T();
        ::operator delete(first_, std::align_val_t{alignof(T)});
    }

    /// Makes one more, behind the others. Fatal when there is no room for it; throws what the
    /// object's constructor throws.
    template <class... Arguments>
    T& emplace_back(Arguments&&... arguments) {
        UPCALL_ASSERT(size_ < capacity_);
        T* made = new (first_ + size_) T(std::forward<Arguments>(arguments)...);
        ++size_;
        return *made;
    }

    /// `index` is below size(); it is not checked.
    T& operator[](std::size_t index) noexcept { return first_[index]; }
    T* begin() noexcept { return first_; }
    T* end() noexcept { return first_ + size_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

  private:
    T* first_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace upcall
