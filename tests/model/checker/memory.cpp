// Races on plain memory, and use of freed memory, by the orders that the code declares.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "model/checker/core.hpp"

namespace model {
namespace {

/// Who last did what to one byte. What came before is ordered before it, or was a race.
struct byte_history {
    stamp written = 0;
    std::uint8_t writer = 0;
    stamp read[threads_max];
    stamp atomic_read[threads_max];
    stamp atomic_written[threads_max];
};

struct granule {
    std::uintptr_t address = 0;
    std::uint32_t execution = 0;
    std::uint8_t freed = 0;
    byte_history bytes[8];
};

struct released {
    const void* object = nullptr;
    std::uint32_t execution = 0;
    clock what;
};

constexpr std::size_t granules = std::size_t{1} << 16;
constexpr std::size_t objects = std::size_t{1} << 14;
constexpr std::size_t freed_bytes_max = 64 << 10;

granule* const history = static_cast<granule*>(std::calloc(granules, sizeof(granule)));
released* const releases = static_cast<released*>(std::calloc(objects, sizeof(released)));
std::uint32_t execution = 1;
std::size_t used = 0;

std::size_t hash(std::uintptr_t key) noexcept {
    return static_cast<std::size_t>((std::uint64_t{key} * 0x9E3779B97F4A7C15u) >> 32);
}

granule& granule_of(std::uintptr_t address) noexcept {
    for (std::size_t at = hash(address);; ++at) {
        granule& here = history[at & (granules - 1)];
        if (here.execution != execution) {
            if (++used > granules / 2) std::abort();  // the program is too large
            std::memset(static_cast<void*>(&here), 0, sizeof here);
            here.address = address;
            here.execution = execution;
            return here;
        }
        if (here.address == address) return here;
    }
}

bool unordered(const stamp (&at)[threads_max], const clock& mine) noexcept {
    for (unsigned i = 0; i < threads_max; ++i)
        if (!mine.knows(i, at[i])) return true;
    return false;
}

/// Whether an access is not ordered after what was done before; keeps it.
bool races(byte_history& byte, access how, unsigned me) noexcept {
    const clock& mine = knowledge(me);
    const stamp now = mine.of[me];
    bool bad = byte.written != 0 && !mine.knows(byte.writer, byte.written);
    if (how == access::write || how == access::atomic_write) bad |= unordered(byte.read, mine);
    if (how == access::read || how == access::write) bad |= unordered(byte.atomic_written, mine);
    if (how == access::write) bad |= unordered(byte.atomic_read, mine);
    switch (how) {
        case access::read:
            byte.read[me] = now;
            break;
        case access::atomic_read:
            byte.atomic_read[me] = now;
            break;
        case access::atomic_write:
            byte.atomic_written[me] = now;
            break;
        case access::write:
            byte.written = now;
            byte.writer = static_cast<std::uint8_t>(me);
            break;
    }
    return bad;
}

// ---- blocks of operator new -----------------------------------------------------------------

/// Before every block of the program. Freed blocks stay until the execution ends, so that no
/// address means two things.
struct alignas(64) block {
    block* next;
    block* previous;
    std::size_t bytes;
    void* start;
    bool freed;
};
static_assert(sizeof(block) == 64);

block all{&all, &all, 0, nullptr, false};

}  // namespace

void forget_memory() noexcept {
    ++execution;
    used = 0;
}

void touch(const void* at, std::size_t bytes, access how, std::uintptr_t from) noexcept {
    const int me = self();
    if (me < 0) return;
    auto address = reinterpret_cast<std::uintptr_t>(at);
    bool bad = false;
    bool freed = false;
    while (bytes > 0) {
        granule& here = granule_of(address & ~std::uintptr_t{7});
        for (unsigned i = address & 7; i < 8 && bytes > 0; ++i, ++address, --bytes) {
            bad |= races(here.bytes[i], how, static_cast<unsigned>(me));
            freed |= (here.freed >> i & 1) != 0;
        }
    }
    if (freed) fail("memory is used that was freed", from, at);
    if (bad) fail("a data race", from, at);
}

clock& released_at(const void* object) noexcept {
    for (std::size_t at = hash(reinterpret_cast<std::uintptr_t>(object));; ++at) {
        released& here = releases[at & (objects - 1)];
        if (here.execution != execution) {
            here = {object, execution, {}};
            return here.what;
        }
        if (here.object == object) return here.what;
    }
}

std::size_t end_of_blocks() noexcept {
    std::size_t left = 0;
    while (all.next != &all) {
        block* const one = all.next;
        one->next->previous = one->previous;
        one->previous->next = one->next;
        if (!one->freed) {
            ++left;
            one->next = one->previous = one;  // somebody may still free it
            continue;
        }
        std::free(one->start);
    }
    return left;
}

namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
    alignment = std::max(alignment, sizeof(block));
    // The header lies right before the block.
    const std::size_t whole = (bytes + alignment * 2 - 1) / alignment * alignment;
    void* start = std::aligned_alloc(alignment, whole);
    if (!start) throw std::bad_alloc();
    auto* given = static_cast<std::byte*>(start) + alignment;
    auto* one = new (given - sizeof(block)) block{nullptr, nullptr, bytes, start, false};
    one->next = one->previous = one;
    if (self() >= 0) {
        one->next = all.next;
        one->previous = &all;
        all.next->previous = one;
        all.next = one;
    }
    return given;
}

void release(void* given, std::uintptr_t from) noexcept {
    if (!given) return;
    auto* one = reinterpret_cast<block*>(static_cast<std::byte*>(given) - sizeof(block));
    if (one->freed) return fail("a block is freed twice", from, given);
    if (self() < 0 || one->next == one) {
        one->next->previous = one->previous;
        one->previous->next = one->next;
        return std::free(one->start);
    }
    one->freed = true;
    if (one->bytes > freed_bytes_max) return;
    touch(given, one->bytes, access::write, from);
    auto address = reinterpret_cast<std::uintptr_t>(given);
    for (std::size_t i = 0; i < one->bytes; i += 8) {
        const std::size_t left = one->bytes - i;
        granule_of(address + i).freed =
            static_cast<std::uint8_t>(left >= 8 ? 0xff : (1u << left) - 1);
    }
}

std::uintptr_t caller(const void* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace
}  // namespace model

void* operator new(std::size_t bytes) { return model::allocate(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return model::allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* given) noexcept {
    model::release(given, model::caller(__builtin_return_address(0)));
}
void operator delete(void* given, std::size_t) noexcept {
    model::release(given, model::caller(__builtin_return_address(0)));
}
void operator delete(void* given, std::align_val_t) noexcept {
    model::release(given, model::caller(__builtin_return_address(0)));
}
void operator delete(void* given, std::size_t, std::align_val_t) noexcept {
    model::release(given, model::caller(__builtin_return_address(0)));
}
