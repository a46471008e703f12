#include "sim/race_tasks.hpp"

#include <optional>
#include <stdexcept>

#include <upcall/upcall.hpp>

#include "sim/pause.hpp"
#include "sim/probes.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

// What a busy loop and its chooser may add to a time.
constexpr duration slack = 10ms;

}  // namespace

// No sleep ends early, and none much later, however many end together.
sim::report sleeps(sim::world& w) {
    const char* wrong = nullptr;
    // From microseconds to seconds: they move between the queue's buckets.
    const auto drawn = [&w] {
        const auto most = std::uint64_t{10} << (2 * w.chosen().below(10));
        return duration(std::chrono::microseconds(w.chosen().below(most) / 8 * 8));
    };
    auto rest = [&]() -> task<> {
        for (int round = 0; round < 5; ++round) {
            const duration length = drawn();
            const duration before = w.elapsed();
            co_await sleep(length);
            if (w.elapsed() - before < length) wrong = "a sleep ended early";
            if (w.elapsed() - before > length + slack) wrong = "a sleep ended late";
        }
    };
    auto until = [&](duration when) -> task<> {
        co_await sleep(when);
        if (w.elapsed() > when + slack) wrong = "a sleep ended late";
    };
    w.host("one",
           [&]() -> task<> { co_await when_all(rest(), rest(), rest(), until(5ms), until(5ms)); });
    sim::report seen = w.run();
    seen.expect(wrong == nullptr, wrong);
    return seen;
}

// Who is cancelled has its time to clean up, and what it starts beside that ends at once.
sim::report clean_up(sim::world& w) {
    bool cleaned = false;
    bool late = false;
    bool unlimited = false;
    auto write_down = [&]() -> task<> {
        co_await pause(w, 100);
        const auto written = co_await make_directory("/done");
        cleaned = written.has_value();
    };
    auto rest = [&]() -> task<> {
        const time_point limit = co_await this_task::deadline();
        if (limit == never) unlimited = true;
        co_await sleep(1h);
    };
    auto work = [&]() -> task<> {
        co_await with_scope([&](scope& all) -> task<> {
            all.spawn_now(rest(), "child");
            co_return;
        });
        co_await shield(1s, write_down());
        // All is over, and it begins something new.
        co_await with_scope([&](scope& all) -> task<> {
            all.spawn_now(rest(), "child of the cancelled");
            co_return;
        });
    };
    w.host("one", [&]() -> task<> {
        const duration before = w.elapsed();
        co_await timeout(std::chrono::microseconds(w.chosen().below(300)), work());
        late = w.elapsed() - before > 1s;
    });
    sim::report seen = w.run();
    seen.expect(cleaned, "there was no time to clean up");
    seen.expect(!late, "what was cancelled went on");
    seen.expect(!unlimited, "a child does not know when it has to be done");
    return seen;
}

// What one child throws ends the others and reaches the scope, which waits for all of them.
sim::report failing_child(sim::world& w) {
    constexpr int children = 6;
    int ended = 0;
    bool thrown = false;
    bool late = false;
    auto child = [&](bool fails) -> task<> {
        co_await pause(w, 100);
        if (fails) {
            ++ended;
            throw std::runtime_error("it fails");
        }
        co_await sleep(1h);
        ++ended;
    };
    auto short_child = [&]() -> task<> { co_await pause(w, 50); };
    w.host("one", [&]() -> task<> {
        // No more than two at a time.
        co_await with_scope(
            [&](scope& all) -> task<> {
                for (int each = 0; each < children; ++each) {
                    const auto room = co_await all.spawn(short_child(), "short");
                    if (!room) late = true;
                }
            },
            scope_options{.limit = 2});
        const duration before = w.elapsed();
        const auto fails = static_cast<int>(w.chosen().below(children));
        try {
            co_await with_scope([&](scope& all) -> task<> {
                for (int each = 0; each < children; ++each)
                    all.spawn_now(child(each == fails), "child");
                co_return;
            });
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        if (w.elapsed() - before > 1s) late = true;
    });
    sim::report seen = w.run();
    seen.expect(thrown, "nobody learned of an exception");
    seen.expect(!late, "the others went on");
    seen.expect(ended == children, "somebody was not waited for");
    return seen;
}

// Values go from one loop to another through a channel that is soon full, each once and in order.
sim::report between_loops(sim::world& w) {
    constexpr int count = 12;
    std::optional<remote_sender<int>> to;
    int expected = 1;
    bool wrong = false;
    w.host("receiver", [&]() -> task<> {
        loop_channel<int> numbers(co_await this_task::home(), 2);
        to = numbers.sender();
        while (auto next = co_await numbers.receive()) {
            if (*next != expected++) wrong = true;
            co_await pause(w, 20);
        }
    });
    w.host("sender", [&]() -> task<> {
        while (!to) co_await sleep(1us);
        {
            const remote_sender<int> sender = std::move(*to);
            for (int number = 1; number <= count;) {
                // Now and then it loses its patience, and has its value back if nobody took it.
                const auto patience = std::chrono::microseconds(1 + w.chosen().below(40));
                const auto sent = co_await timeout(patience, sender.send(number));
                reached(sent ? probe::cancel_lost_to_value : probe::cancel_won);
                if (!sent) continue;
                if (w.chosen().below(4) == 3) {
                    co_await sleep(1ms);
                    if (expected <= number) wrong = true;
                }
                ++number;
            }
        }
        to.reset();
    });
    sim::report seen = w.run();
    seen.expect(!wrong && expected == count + 1, "a value was lost or late, or came twice");
    return seen;
}

}  // namespace upcall_sim
