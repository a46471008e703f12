// From the key of an event to the record it is for, if that still exists.
#pragma once

#include <cstdint>
#include <vector>

namespace upcall {

struct readiness_record;

/// An event may come when its record is gone: later in the same batch, or because a copy of a
/// closed descriptor lives on in another process (epoll(7), questions 6 and 9). So a key holds a
/// place and how often that place was given out, which a newcomer in the same place does not match.
class watch_table {
  public:
    /// Throws std::bad_alloc.
    std::uint64_t insert(readiness_record& record) {
        if (free_ == none) {
            places_.push_back({});
            free_ = static_cast<std::uint32_t>(places_.size() - 1);
        }
        const std::uint32_t index = free_;
        place& taken = places_[index];
        free_ = taken.next_free;
        taken.record = &record;
        return std::uint64_t{taken.generation} << 32 | index;
    }

    void erase(std::uint64_t key) noexcept {
        place& left = places_[index_of(key)];
        left.record = nullptr;
        ++left.generation;
        left.next_free = free_;
        free_ = index_of(key);
    }

    /// Null: too late.
    readiness_record* find(std::uint64_t key) const noexcept {
        if (index_of(key) >= places_.size()) return nullptr;
        const place& at = places_[index_of(key)];
        return at.generation == key >> 32 ? at.record : nullptr;
    }

  private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct place {
        readiness_record* record = nullptr;
        std::uint32_t generation = 0;
        std::uint32_t next_free = none;
    };

    static std::uint32_t index_of(std::uint64_t key) noexcept {
        return static_cast<std::uint32_t>(key);
    }

    std::vector<place> places_;
    std::uint32_t free_ = none;
};

}  // namespace upcall
