// A recycling allocator for coroutine frames and records: freed blocks wait on the thread that
// freed them for the next request of their size class.
//
// After warm-up a loop that creates and ends tasks of the same shapes allocates nothing. Blocks
// come from operator new and return to it when the thread ends or keeps more than its limit.
#pragma once

#include <cstddef>

namespace upcall {

/// A block of at least `size` bytes, aligned for any object. Throws std::bad_alloc.
/// May be freed on any thread.
void* recycler_allocate(std::size_t size);

/// Gives a block back; `size` is what it was allocated with.
void recycler_free(void* block, std::size_t size) noexcept;

/// Blocks handed out by operator new since the thread began: steady state means it stands still.
std::size_t recycler_fresh_blocks() noexcept;

/// For tests that make allocations fail: while on, every block of this thread comes from operator
/// new and goes back to it at once.
void recycler_bypass(bool on) noexcept;

/// A base for objects that come and go in numbers: they are made in blocks of the recycler. Making
/// one throws std::bad_alloc.
struct recycled {
    static void* operator new(std::size_t size) { return recycler_allocate(size); }
    static void operator delete(void* block, std::size_t size) noexcept {
        recycler_free(block, size);
    }
};

}  // namespace upcall
