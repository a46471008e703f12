#include "sim/race_locks.hpp"

#include <upcall/upcall.hpp>

#include "sim/pause.hpp"
#include "sim/planted.hpp"
#include "sim/probes.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

// What is read and then written under one lock is not lost.
sim::report counter(sim::world& w) {
    int count = 0;
    auto add = [&](mutex& lock) -> task<> {
        for (int round = 0; round < 5; ++round) {
            co_await pause(w, 10);
            if (lock.is_locked()) reached(probe::lock_contended);
            mutex_guard held;
            if (!has(bug::reads_then_writes)) held = (co_await lock.lock()).value();
            const int before = count;
            if (has(bug::unlocks_too_early)) held.unlock();
            co_await yield();
            count = before + 1;
        }
    };
    w.host("one", [&]() -> task<> {
        mutex lock;
        co_await when_all(add(lock), add(lock), add(lock));
    });
    sim::report seen = w.run();
    seen.expect(count == 15, "a step was lost");
    return seen;
}

// Permits come back, also from those whose wait for a second one timed out.
sim::report permits(sim::world& w) {
    auto use = [&](semaphore& places) -> task<> {
        for (int round = 0; round < 5; ++round) {
            auto first = co_await timeout(100us, places.acquire());
            if (!first) {
                reached(probe::wait_timed_out);
                continue;
            }
            auto second = co_await timeout(20us, places.acquire());
            if (!second) {
                reached(probe::wait_timed_out);
                if (has(bug::keeps_permit_when_late)) first->forget();
            }
            co_await pause(w, 50);
        }
    };
    std::size_t left = 0;
    w.host("one", [&]() -> task<> {
        semaphore places(3);
        co_await when_all(use(places), use(places), use(places));
        left = places.available();
    });
    sim::report seen = w.run();
    seen.expect(left == 3, "a permit was lost");
    return seen;
}

// Who looks, and then waits for news, looks again after every wait.
sim::report wake_ups(sim::world& w) {
    int taken = 0;
    w.host("one", [&]() -> task<> {
        int stock = 0;
        bool closed = false;
        auto_event news;
        auto supply = [&]() -> task<> {
            for (int item = 0; item < 10; ++item) {
                co_await pause(w, 30);
                ++stock;
                news.set();
            }
            closed = true;
            news.set();
        };
        auto consume = [&]() -> task<> {
            for (;;) {
                while (stock > 0) {
                    --stock;
                    ++taken;
                    co_await pause(w, 30);
                    if (has(bug::misses_a_wake_up)) break;
                }
                if (closed && stock == 0) break;
                const auto told = co_await news.wait();
                if (!told) break;
            }
        };
        co_await when_all(supply(), consume());
    });
    sim::report seen = w.run();
    seen.expect(taken == 10, "something was left in stock");
    return seen;
}

// Two locks are taken in one order by everybody.
sim::report two_locks(sim::world& w) {
    w.host("one", [&]() -> task<> {
        mutex left;
        mutex right;
        auto both = [&](mutex& first, mutex& second) -> task<> {
            for (int round = 0; round < 12; ++round) {
                co_await pause(w, 20);
                const auto one = co_await first.lock();
                co_await yield();
                const auto other = co_await second.lock();
            }
        };
        const bool any_order = has(bug::locks_in_any_order);
        co_await when_all(both(left, right),
                          both(any_order ? right : left, any_order ? left : right));
    });
    return w.run();
}

// A scope waits for all of its children.
sim::report children(sim::world& w) {
    int ended = 0;
    int seen_at_the_end = 0;
    w.host("one", [&]() -> task<> {
        auto child = [&]() -> task<> {
            co_await pause(w, 100);
            ++ended;
        };
        co_await with_scope([&](scope& outer) -> task<> {
            auto first = outer.async(child(), "first");
            auto second = outer.async(child(), "second");
            co_await first.join();
            if (!has(bug::joins_only_the_first)) co_await second.join();
            seen_at_the_end = ended;
            co_return;
        });
    });
    sim::report seen = w.run();
    seen.expect(seen_at_the_end == 2 && ended == 2, "somebody was not waited for");
    return seen;
}

}  // namespace upcall_sim
