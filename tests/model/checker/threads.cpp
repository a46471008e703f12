// Mutexes, conditions, signals and what spins, as the checker keeps them in place of the system's.
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "model/checker/core.hpp"

namespace model {
namespace {

std::map<const void*, int> holders;  // of mutexes that are held
/// Threads that sleep on a condition, and those that were woken.
struct sleeper {
    const void* condition;
    bool woken;
};
sleeper asleep[threads_max];
/// Whether the last wait that had a limit was ended by its condition.
bool in_time[threads_max];

/// What stands for a thread that the code has started.
struct started {
    void* (*run)(void*) = nullptr;
    void* argument = nullptr;
    gate begun;
    gate over;
};
started spares[threads_max];
unsigned spares_taken = 0;

/// Waits of this length end only by what they wait for.
constexpr std::int64_t long_wait_seconds = 1;

std::uint64_t value_at(const void* object, std::size_t bytes) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, object, bytes);
    return value;
}

std::uintptr_t caller(const void* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address);
}

clock& mine() noexcept { return knowledge(static_cast<unsigned>(self())); }

void acquire(const void* object) noexcept { mine().join(released_at(object)); }
void release(const void* object) noexcept { released_at(object).join(give()); }

template <class Function>
Function* real(const char* name, const char* version = nullptr) noexcept {
    void* found = version ? dlvsym(RTLD_NEXT, name, version) : nullptr;
    if (!found) found = dlsym(RTLD_NEXT, name);
    if (!found) std::abort();
    return reinterpret_cast<Function*>(found);
}

}  // namespace

void forget_objects() noexcept {
    holders.clear();
    for (sleeper& one : asleep) one = {nullptr, false};
    for (started& one : spares) one = {};
    spares_taken = 0;
}

namespace {
unsigned index_of_pending(const step& next) noexcept { return static_cast<unsigned>(next.seen); }
}  // namespace

bool possible(const step& next) noexcept {
    switch (next.what) {
        case kind::lock:
            return !holders.contains(next.object);
        case kind::woken:
            return asleep[index_of_pending(next)].woken;
        case kind::wait:
            return *static_cast<const bool*>(next.object);
        case kind::differ:
            return value_at(next.object, next.bytes) != next.seen;
        default:
            return true;
    }
}

void effect(const step& next) noexcept {
    switch (next.what) {
        case kind::lock:
            holders[next.object] = 1;
            break;
        case kind::unlock:
            holders.erase(next.object);
            break;
        case kind::sleep:
            holders.erase(next.mutex);
            asleep[index_of_pending(next)] = {next.object, false};
            break;
        case kind::late:
            in_time[index_of_pending(next)] = asleep[index_of_pending(next)].woken;
            [[fallthrough]];
        case kind::woken:
            asleep[index_of_pending(next)] = {nullptr, false};
            break;
        default:
            break;
    }
}

void signal::raise() noexcept {
    const void* const from = __builtin_return_address(0);
    arrive({.what = kind::raise, .object = &raised_, .from = caller(from)});
    touch(&raised_, 1, access::atomic_write, caller(from));
    release(&raised_);
    raised_ = true;
}

void signal::wait() noexcept {
    const void* const from = __builtin_return_address(0);
    arrive({.what = kind::wait, .object = &raised_, .from = caller(from)});
    touch(&raised_, 1, access::atomic_write, caller(from));
    acquire(&raised_);
    raised_ = false;
}

bool signal::take() noexcept {
    const void* const from = __builtin_return_address(0);
    arrive({.what = kind::take, .object = &raised_, .from = caller(from)});
    touch(&raised_, 1, access::atomic_write, caller(from));
    const bool was = raised_;
    if (was)
        acquire(&raised_);
    else
        was_load();
    raised_ = false;
    return was;
}

void gate::open() noexcept {
    const void* const from = __builtin_return_address(0);
    arrive({.what = kind::raise, .object = &open_, .from = caller(from)});
    release(&open_);
    open_ = true;
}

void gate::wait() noexcept {
    const void* const from = __builtin_return_address(0);
    arrive({.what = kind::wait, .object = &open_, .from = caller(from)});
    was_load();
    acquire(&open_);
}

void be_started() noexcept {
    started& mine = spares[self()];
    mine.begun.wait();
    if (!mine.run) return;
    mine.run(mine.argument);
    mine.over.open();
}

void start_no_more() noexcept {
    while (spares_taken + 1 < thread_count()) spares[thread_count() - ++spares_taken].begun.open();
}

}  // namespace model

// ---- in place of the system's ---------------------------------------------------------------

using namespace model;

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    static auto* const system = real<int(pthread_mutex_t*)>("pthread_mutex_lock");
    if (self() < 0) return system(mutex);
    arrive({.what = kind::lock, .object = mutex, .from = caller(__builtin_return_address(0))});
    acquire(mutex);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
    static auto* const system = real<int(pthread_mutex_t*)>("pthread_mutex_unlock");
    if (self() < 0) return system(mutex);
    arrive({.what = kind::unlock, .object = mutex, .from = caller(__builtin_return_address(0))});
    touch(mutex, 1, access::atomic_write, caller(__builtin_return_address(0)));
    release(mutex);
    return 0;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    static auto* const system =
        real<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait", "GLIBC_2.3.2");
    if (self() < 0) return system(condition, mutex);
    const std::uintptr_t from = caller(__builtin_return_address(0));
    const auto thread = static_cast<std::uint64_t>(self());
    release(mutex);
    arrive({kind::sleep, condition, 1, from, thread, mutex});
    arrive({kind::woken, condition, 1, from, thread, nullptr});
    arrive({.what = kind::lock, .object = mutex, .from = from});
    acquire(mutex);
    return 0;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t by,
                           const timespec* limit) {
    static auto* const system =
        real<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>(
            "pthread_cond_clockwait");
    if (self() < 0) return system(condition, mutex, by, limit);
    timespec now{};
    ::clock_gettime(by, &now);
    if (limit->tv_sec - now.tv_sec > long_wait_seconds) return pthread_cond_wait(condition, mutex);
    const std::uintptr_t from = caller(__builtin_return_address(0));
    const auto thread = static_cast<std::uint64_t>(self());
    release(mutex);
    arrive({kind::sleep, condition, 1, from, thread, mutex});
    arrive({kind::late, condition, 1, from, thread, nullptr});
    arrive({.what = kind::lock, .object = mutex, .from = from});
    acquire(mutex);
    return in_time[thread] ? 0 : ETIMEDOUT;
}

int pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*run)(void*),
                   void* argument) noexcept {
    static auto* const system =
        real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
    if (self() < 0) return system(made, how, run, argument);
    if (spares_taken + 1 >= thread_count()) return EAGAIN;
    const unsigned which = thread_count() - ++spares_taken;
    spares[which].run = run;
    spares[which].argument = argument;
    *made = which;
    spares[which].begun.open();
    return 0;
}

int pthread_join(pthread_t which, void** returned) {
    static auto* const system = real<int(pthread_t, void**)>("pthread_join");
    if (self() < 0) return system(which, returned);
    spares[which].over.wait();
    return 0;
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
    static auto* const system = real<int(pthread_cond_t*)>("pthread_cond_signal", "GLIBC_2.3.2");
    if (self() < 0) return system(condition);
    arrive(
        {.what = kind::notify, .object = condition, .from = caller(__builtin_return_address(0))});
    touch(condition, 1, access::atomic_write, caller(__builtin_return_address(0)));
    for (sleeper& one : asleep) {
        if (one.condition != condition || one.woken) continue;
        one.woken = true;
        break;
    }
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
    static auto* const system = real<int(pthread_cond_t*)>("pthread_cond_broadcast", "GLIBC_2.3.2");
    if (self() < 0) return system(condition);
    arrive(
        {.what = kind::notify, .object = condition, .from = caller(__builtin_return_address(0))});
    for (sleeper& one : asleep)
        if (one.condition == condition) one.woken = true;
    return 0;
}

int pthread_cond_destroy(pthread_cond_t* condition) noexcept {
    static auto* const system = real<int(pthread_cond_t*)>("pthread_cond_destroy", "GLIBC_2.3.2");
    if (self() < 0) return system(condition);
    touch(condition, 1, access::write, caller(__builtin_return_address(0)));
    return 0;
}
}
