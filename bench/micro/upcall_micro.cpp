// What upcall's own machinery costs, without sockets. Every measure has the same name in the peer's
// program and means the same there.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <upcall/upcall.hpp>

#include "poster.hpp"
#include "report.hpp"

using namespace upcall;

namespace {

std::unique_ptr<loop> new_loop() {
    auto made = make_loop();
    if (!made) {
        std::fprintf(stderr, "no loop: %s\n", made.error().message().c_str());
        std::exit(1);
    }
    return std::move(*made);
}

void run(loop& home, task<> what) {
    scope tasks(home.root());
    tasks.spawn_now(std::move(what));
    home.run();
}

task<> trivial() { co_return; }

// spawn_join: a task starts a child and waits for it, a thousand times over.
task<> spawn_and_join(std::size_t count) {
    co_await with_scope([&](scope& children) -> task<> {
        for (std::size_t i = 0; i < count; ++i) {
            auto child = children.async(trivial());
            co_await child.join();
        }
    });
}

// spawn_join_many: a thousand children at once, all of them waited for.
task<> spawn_and_join_many(std::size_t count) {
    co_await with_scope([&](scope& children) -> task<> {
        for (std::size_t i = 0; i < count; ++i) children.spawn_now(trivial());
        co_await children.join();
    });
}

void measure_spawn_join(const micro::settings& chosen) {
    const auto home = new_loop();
    constexpr std::size_t count = 1000;
    micro::measure(chosen, "spawn_join", count, [&] { run(*home, spawn_and_join(count)); });
    micro::measure(chosen, "spawn_join_many", count,
                   [&] { run(*home, spawn_and_join_many(count)); });
}

// switch: two tasks that give way to each other; an operation is one resumption.
task<> give_way(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) co_await yield();
}

task<> two_that_give_way(std::size_t times) {
    co_await with_scope([&](scope& both) -> task<> {
        both.spawn_now(give_way(times));
        both.spawn_now(give_way(times));
        co_await both.join();
    });
}

void measure_switch(const micro::settings& chosen) {
    const auto home = new_loop();
    constexpr std::size_t times = 5000;
    micro::measure(chosen, "switch", 2 * times, [&] { run(*home, two_that_give_way(times)); });
}

// Deadlines between one and two hours ahead, in no order.
std::chrono::nanoseconds some_deadline() {
    static std::uint64_t state = 88172645463325252U;
    state = state * 6364136223846793005U + 1442695040888963407U;
    return std::chrono::hours(1) +
           std::chrono::nanoseconds(static_cast<std::int64_t>((state >> 32) * 838));
}

// timer_add_cancel_N: a wait is started and cancelled, its completion starts the next, while N-1
// others stay armed: what a timeout around an operation costs when the operation is in time.
task<> start_and_cancel(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        auto waiting = co_await when_any(sleep(some_deadline()), yield());
        static_cast<void>(waiting);
    }
}

void measure_timers(const micro::settings& chosen, std::size_t armed) {
    const auto home = new_loop();
    std::deque<timer_node> others(armed - 1);
    for (timer_node& one : others) {
        one.fire = [](timer_node&) noexcept {};
        home->timers().add(one, home->now() + some_deadline());
    }
    constexpr std::size_t count = 1000;
    const auto name = "timer_add_cancel_" + std::to_string(armed);
    micro::measure(chosen, name.c_str(), count, [&] { run(*home, start_and_cancel(count)); });
    for (timer_node& one : others) home->timers().remove(one);
}

// post_single: another thread posts one item and waits until it was handled; whether the loop fell
// asleep in between is a race. post_wake: the same, but it did. post_burst: a thousand at once.
void measure_post(const micro::settings& chosen) {
    const auto home = new_loop();
    std::atomic<std::size_t> handled{0};
    std::size_t until = 0;
    const auto handle = [&] {
        handled.store(handled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    };
    const auto batch = [&](auto& from, std::size_t count) {
        until = handled.load(std::memory_order_relaxed) + count;
        from.ask(count);
        home->run_until([&] { return handled.load(std::memory_order_relaxed) == until; });
    };
    {
        micro::poster single([&] {
            const auto before = handled.load(std::memory_order_acquire);
            home->post(handle);
            while (handled.load(std::memory_order_acquire) == before) {
            }
        });
        micro::measure(chosen, "post_single", 100, [&] { batch(single, 100); });
    }
    {
        micro::wake_clock latency(handled);
        micro::poster wake([&] { latency.time([&] { home->post(handle); }); });
        micro::measure(chosen, "post_wake", 20, [&] {
            batch(wake, 20);
            return latency.taken();
        });
    }
    micro::poster burst([&] { home->post(handle); });
    micro::measure(chosen, "post_burst", 1000, [&] { batch(burst, 1000); });
}

}  // namespace

int main(int argc, char** argv) {
    const auto chosen = micro::parse(argc, argv);
    micro::pin_to(0);
    measure_spawn_join(chosen);
    measure_switch(chosen);
    for (const std::size_t armed : {1U, 1000U, 100000U}) measure_timers(chosen, armed);
    measure_post(chosen);
}
