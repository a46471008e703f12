// What the parts of the checker share: the clocks, what is pending, and who runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/checker/checker.hpp"

namespace model {

using stamp = std::uint16_t;

/// How far each thread had come, as one of them knows.
struct clock {
    stamp of[threads_max] = {};

    void join(const clock& other) noexcept {
        for (unsigned i = 0; i < threads_max; ++i)
            if (other.of[i] > of[i]) of[i] = other.of[i];
    }
    bool knows(unsigned thread, stamp at) const noexcept { return of[thread] >= at; }
};

enum class kind : std::uint8_t {
    start,   // of a thread
    load,    // atomic
    store,   // atomic
    change,  // load, then store
    differ,  // a load that waits until the value is another: what spins
    lock,
    unlock,
    sleep,  // on a condition: lets go of the mutex
    woken,  // by a condition
    late,   // woken by it, or by the time, which may pass whenever it likes
    notify,
    raise,
    wait,  // for a signal or a gate
    take,
    join,
};

/// What a thread is about to do.
struct step {
    kind what = kind::start;
    const void* object = nullptr;
    std::uint32_t bytes = 1;
    std::uintptr_t from = 0;
    std::uint64_t seen = 0;       // of differ
    const void* mutex = nullptr;  // of sleep and woken
};

/// How many threads the program has.
unsigned thread_count() noexcept;

/// The thread of the program that calls, or -1; also while the checker itself runs on it.
int self() noexcept;

/// Returns when it is the caller's turn to do `next`.
void arrive(const step& next) noexcept;
/// What the step that was just done turned out to be.
void was_load() noexcept;

/// The first failure of an execution is kept.
void fail(const char* what, std::uintptr_t from, const void* where) noexcept;

/// What each thread knows by the orders that the code declares.
clock& knowledge(unsigned thread) noexcept;
/// What the caller knows, to release it: what it does from here on is not part of it.
clock give() noexcept;

/// The order to count for an atomic operation, which is noted.
int order_at(std::uintptr_t from, int order, bool fetches, bool stores) noexcept;

// ---- memory.cpp -----------------------------------------------------------------------------

enum class access : std::uint8_t { read, write, atomic_read, atomic_write };

void forget_memory() noexcept;
void touch(const void* at, std::size_t bytes, access how, std::uintptr_t from) noexcept;
/// What was released at an object, to whoever acquires it.
clock& released_at(const void* object) noexcept;
/// Ends the execution's memory; the number of blocks that were not freed.
std::size_t end_of_blocks() noexcept;

// ---- threads.cpp ----------------------------------------------------------------------------

/// Whether a step could be done now.
bool possible(const step& next) noexcept;
/// Its effect on what the checker keeps of mutexes and conditions.
void effect(const step& next) noexcept;
void forget_objects() noexcept;

/// Nothing of the program is seen while one of these lives.
class hidden {
  public:
    hidden() noexcept;
    hidden(const hidden&) = delete;
    hidden& operator=(const hidden&) = delete;
    ~hidden();

  private:
    int before_;
};

}  // namespace model
