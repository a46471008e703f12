// What Asio's own machinery costs, without sockets. Every measure has the same name in upcall's
// program and means the same there.
#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "poster.hpp"
#include "report.hpp"

namespace asio = boost::asio;
using executor = asio::io_context::executor_type;
template <typename Value>
using awaitable = asio::awaitable<Value, executor>;

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, executor>;

namespace {

void run(asio::io_context& context) {
    context.restart();
    context.run();
}

// Awaited with `deferred`, which costs Asio less than `use_awaitable`.
awaitable<void> trivial() { co_return; }

// spawn_join: a task starts a child and waits for it, a thousand times over.
awaitable<void> spawn_and_join(executor on, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) co_await asio::co_spawn(on, trivial(), asio::deferred);
}

void measure_spawn_join(const micro::settings& chosen) {
    asio::io_context context(1);
    constexpr std::size_t count = 1000;
    micro::measure(chosen, "spawn_join", count, [&] {
        asio::co_spawn(context, spawn_and_join(context.get_executor(), count), asio::detached);
        run(context);
    });
    // spawn_join_many: a thousand children at once, all of them waited for.
    micro::measure(chosen, "spawn_join_many", count, [&] {
        for (std::size_t i = 0; i < count; ++i) asio::co_spawn(context, trivial(), asio::detached);
        run(context);
    });
}

// switch: two tasks that give way to each other; an operation is one resumption.
awaitable<void> give_way(executor on, std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) co_await asio::post(on, asio::deferred);
}

void measure_switch(const micro::settings& chosen) {
    asio::io_context context(1);
    constexpr std::size_t times = 5000;
    micro::measure(chosen, "switch", 2 * times, [&] {
        for (int task = 0; task < 2; ++task)
            asio::co_spawn(context, give_way(context.get_executor(), times), asio::detached);
        run(context);
    });
}

// Deadlines between one and two hours ahead, in no order.
std::chrono::nanoseconds some_deadline() {
    static std::uint64_t state = 88172645463325252U;
    state = state * 6364136223846793005U + 1442695040888963407U;
    return std::chrono::hours(1) +
           std::chrono::nanoseconds(static_cast<std::int64_t>((state >> 32) * 838));
}

// timer_add_cancel_N: a wait is started and cancelled, its handler starts the next, while N-1
// others stay armed: what a timeout around an operation costs when the operation is in time.
class canceller {
  public:
    explicit canceller(asio::io_context& context) : timer_(context) {}

    void start(std::size_t count) {
        left_ = count;
        again();
    }

  private:
    void again() {
        if (left_-- == 0) return;
        timer_.expires_after(some_deadline());
        timer_.async_wait([this](boost::system::error_code) { again(); });
        timer_.cancel();
    }

    timer timer_;
    std::size_t left_ = 0;
};

void measure_timers(const micro::settings& chosen, std::size_t armed) {
    asio::io_context context(1);
    std::vector<timer> others;
    others.reserve(armed);
    for (std::size_t i = 1; i < armed; ++i) {
        others.emplace_back(context, some_deadline());
        others.back().async_wait([](boost::system::error_code) {});
    }
    canceller subject(context);
    constexpr std::size_t count = 1000;
    const auto name = "timer_add_cancel_" + std::to_string(armed);
    micro::measure(chosen, name.c_str(), count, [&] {
        // Polled rather than run, which would wait for the other timers.
        subject.start(count);
        context.restart();
        while (context.poll() > 0) {
        }
    });
}

// post_single: another thread posts one item and waits until it was handled; whether the loop fell
// asleep in between is a race. post_wake: the same, but it did. post_burst: a thousand at once.
void measure_post(const micro::settings& chosen) {
    asio::io_context context(1);
    const auto at_work = asio::make_work_guard(context);
    std::atomic<std::size_t> handled{0};
    std::size_t until = 0;
    const auto handle = [&] {
        const auto count = handled.load(std::memory_order_relaxed) + 1;
        handled.store(count, std::memory_order_release);
        if (count == until) context.stop();
    };
    const auto batch = [&](auto& from, std::size_t count) {
        until = handled.load(std::memory_order_relaxed) + count;
        context.restart();
        from.ask(count);
        context.run();
    };
    {
        micro::poster single([&] {
            const auto before = handled.load(std::memory_order_acquire);
            asio::post(context, handle);
            while (handled.load(std::memory_order_acquire) == before) {
            }
        });
        micro::measure(chosen, "post_single", 100, [&] { batch(single, 100); });
    }
    {
        micro::wake_clock latency(handled);
        micro::poster wake([&] { latency.time([&] { asio::post(context, handle); }); });
        micro::measure(chosen, "post_wake", 20, [&] {
            batch(wake, 20);
            return latency.taken();
        });
    }
    micro::poster burst([&] { asio::post(context, handle); });
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
