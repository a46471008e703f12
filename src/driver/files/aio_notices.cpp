#include "driver/files/aio_notices.hpp"

#include <cerrno>
#include <thread>

#include <upcall/driver/driver.hpp>

namespace upcall {
namespace {

constexpr unsigned drivers_max = 256;

/// Never freed, as notices may come at any time.
struct slot {
    std::atomic<bool> taken{false};
    std::atomic<driver*> told{nullptr};
    std::atomic<unsigned> inside{0};
    std::atomic<std::uint64_t> marks{0};
};
std::array<slot, drivers_max> slots;

}  // namespace

std::int64_t aio_notices::open(driver& told) noexcept {
    for (slot_ = 0; slot_ < drivers_max; ++slot_) {
        if (slots[slot_].taken.exchange(true)) continue;
        slots[slot_].marks = 0;
        slots[slot_].told = &told;
        open_ = true;
        return 0;
    }
    return -EAGAIN;
}

aio_notices::~aio_notices() {
    if (!open_) return;
    slot& mine = slots[slot_];
    mine.told = nullptr;
    // Whoever came before that may still use the driver.
    while (mine.inside != 0) std::this_thread::yield();
    mine.taken = false;
}

void* aio_notices::value_for(unsigned place) const noexcept {
    return reinterpret_cast<void*>(std::uintptr_t{slot_} * places + place);
}

void aio_notices::arrived(void* value) noexcept {
    const auto number = reinterpret_cast<std::uintptr_t>(value);
    if (number / places >= drivers_max) return;
    slot& its = slots[number / places];
    ++its.inside;
    if (driver* told = its.told) {
        its.marks |= std::uint64_t{1} << number % places;
        told->wake();
    }
    --its.inside;
}

void aio_notices::pass(void* value) noexcept {
    const auto number = reinterpret_cast<std::uintptr_t>(value);
    if (number / places != slot_) return arrived(value);
    slots[slot_].marks |= std::uint64_t{1} << number % places;
}

std::uint64_t aio_notices::take_marks() noexcept {
    std::atomic<std::uint64_t>& marks = slots[slot_].marks;
    return marks.load(std::memory_order_relaxed) ? marks.exchange(0) : 0;
}

}  // namespace upcall
