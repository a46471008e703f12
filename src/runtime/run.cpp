#include <upcall/runtime/run.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <source_location>
#include <thread>
#include <vector>

#include <upcall/io/signal.hpp>
#include <upcall/os/affinity.hpp>
#include <upcall/runtime/program.hpp>
#include <upcall/task/timeout.hpp>

namespace upcall {
namespace {

/// Where "main" was spawned: a place in here would say nothing to who reads of it.
constexpr std::source_location nowhere{};

void report(const loop* home, const std::exception_ptr& why) {
    const char* named = home ? home->failed_task(why) : nullptr;
    const char* name = named ? named : "main";
    try {
        std::rethrow_exception(why);
    } catch (const std::bad_expected_access<std::error_code>& missing) {
        std::fprintf(stderr, "upcall: task \"%s\" ended by an error nobody handled: %s (%s %d)\n",
                     name, missing.error().message().c_str(), missing.error().category().name(),
                     missing.error().value());
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "upcall: task \"%s\" ended by an exception: %s\n", name,
                     thrown.what());
    } catch (...) {
        std::fprintf(stderr, "upcall: task \"%s\" ended by an exception\n", name);
    }
}

/// A task that called `run` would block its own loop until the new one has ended, with every other
/// task on it and the signals that are to end both.
bool refused_inside_a_loop(const char* what) {
    if (!loop::current()) return false;
    const std::error_code why = errc::would_deadlock;
    std::fprintf(stderr, "upcall: no loop: %s was called on a thread that runs one: %s (%s %d)\n",
                 what, why.message().c_str(), why.category().name(), why.value());
    return true;
}

task<> keep_value(task<int> main, int& value) { value = co_await std::move(main); }

/// The first signal asks to stop; a second one cancels, and so does the end of the grace period,
/// which says whom.
task<> heed_signals(std::function<void()> stop, std::function<void()> cancel,
                    std::function<void()> end_grace, duration grace) {
    auto signals = signal_set::watch({SIGINT, SIGTERM});
    if (!signals) co_return;
    const auto first = co_await signals->next();
    if (!first) co_return;
    stop();
    const auto second = co_await timeout(grace, signals->next());
    if (second) cancel();
    if (!second && second.error() == errc::deadline_exceeded) end_grace();
}

/// A task, so that it is told once signals are heeded: who reads a greeting may send one at once.
task<> tell(const run_options& options, unsigned index, selection_report chosen) {
    if (options.chosen) options.chosen(index, chosen);
    co_return;
}

/// Starts `watching`, or says why not.
bool watch(std::optional<watchdog>& watching, loop& home, const watchdog_options& options) {
    try {
        watching.emplace(home, options);
        return true;
    } catch (const std::exception& refused) {
        std::fprintf(stderr, "%s\n", refused.what());
        return false;
    }
}

std::exception_ptr run_to_end(program& running, const run_options& options) {
    return options.close_grace ? running.run(*options.close_grace) : running.run();
}

/// False, and said why, when something had to stay.
bool close(std::unique_ptr<program>& running, std::unique_ptr<loop>& home,
           const run_options& options) {
    if (!options.close_grace) {
        running.reset();
        home.reset();
        return true;
    }
    // The wait for signals is none of the program's: a read of a pipe, it always ends when asked,
    // and on a thread of its own just not at once.
    scope& own = running->services();
    own.cancel();
    home->run_until([&own] { return own.size() == 0; });
    const close_report left =
        program::close(std::move(running), std::move(home), *options.close_grace);
    if (left.leaked) std::fprintf(stderr, "upcall: %s\n", left.to_string().c_str());
    return !left.leaked;
}

int run_main(task<> main, const run_options& options) {
    if (refused_inside_a_loop("run")) return 1;
    selection_report chosen;
    auto home = make_loop(options.driver, options.loop, &chosen);
    if (!home) {
        std::fprintf(stderr, "upcall: no loop: %s; %s\n", home.error().message().c_str(),
                     chosen.to_string().c_str());
        return 1;
    }
    auto running = std::make_unique<program>(**home);
    if (options.deadlocked) running->on_deadlock(options.deadlocked);
    std::optional<watchdog> watching;
    if (options.watch && !watch(watching, **home, *options.watch)) return 1;
    if (options.handle_signals) {
        auto& tasks = running->tasks();
        running->services().spawn_now(
            heed_signals([&tasks] { tasks.stop(); }, [&tasks] { tasks.cancel(); },
                         [&tasks] {
                             tell_who_is_left(tasks.where());
                             tasks.cancel();
                         },
                         options.grace),
            "signals");
    }
    running->tasks().spawn_now(tell(options, 0, std::move(chosen)), "greeting");
    running->tasks().spawn_now(std::move(main), "main", nowhere);
    bool failed = false;
    if (std::exception_ptr why = run_to_end(*running, options)) {
        report(home->get(), why);
        failed = true;
    }
    watching.reset();
    const bool closed = close(running, *home, options);
    return failed || !closed ? 1 : 0;
}

/// What the loops of one program share.
struct fleet {
    std::function<task<>(unsigned)> main;
    const run_options* options = nullptr;
    std::mutex mutex;
    std::mutex told;  // one greeting at a time
    std::vector<std::shared_ptr<program_control>> controls;
    bool stopping = false;
    bool cancelling = false;
    unsigned others = 0;    // loops besides the first that have not ended
    loop* first = nullptr;  // heeds the signals, and so outlasts the others
    std::atomic<int> failures{0};

    void stop() noexcept {
        const std::lock_guard held(mutex);
        stopping = true;
        for (const auto& control : controls) program_control::stop(control);
    }

    void fail(const loop* home, const std::exception_ptr& why) noexcept {
        report(home, why);
        ++failures;
        stop();
    }

    void cancel() noexcept {
        const std::lock_guard held(mutex);
        cancelling = true;
        for (const auto& control : controls) program_control::cancel(control);
    }

    void end_grace() {
        const std::lock_guard held(mutex);
        cancelling = true;
        for (const auto& control : controls) program_control::end_grace(control);
    }

    task<> greet(unsigned index, selection_report chosen) {
        const std::lock_guard held(told);
        if (options->chosen) options->chosen(index, chosen);
        co_return;
    }

    void join(program& running) {
        const std::lock_guard held(mutex);
        controls.push_back(running.control());
        if (stopping) running.tasks().stop();
        if (cancelling) running.tasks().cancel();
    }

    void another() {
        const std::lock_guard held(mutex);
        ++others;
    }

    void another_ended() {
        const std::lock_guard held(mutex);
        if (--others == 0 && first) first->stop_running();
    }

    /// While others have work, somebody has to count their grace period.
    void await_others(loop& home) {
        {
            const std::lock_guard held(mutex);
            first = &home;
        }
        home.run_until([this] {
            const std::lock_guard held(mutex);
            return others == 0;
        });
    }

    void start(program& running, unsigned index, selection_report chosen) {
        if (options->deadlocked) running.on_deadlock(options->deadlocked);
        join(running);
        if (index == 0 && options->handle_signals)
            running.services().spawn_now(heed_signals([this] { stop(); }, [this] { cancel(); },
                                                      [this] { end_grace(); }, options->grace),
                                         "signals");
        running.tasks().spawn_now(greet(index, std::move(chosen)), "greeting");
        running.tasks().spawn_now(main(index), "main", nowhere);
    }

    void run_loop(unsigned index) {
        selection_report chosen;
        auto home = make_loop(options->driver, options->loop, &chosen);
        if (!home) {
            std::fprintf(stderr, "upcall: no loop for thread %u: %s; %s\n", index,
                         home.error().message().c_str(), chosen.to_string().c_str());
            ++failures;
            return stop();
        }
        auto running = std::make_unique<program>(**home);
        std::optional<watchdog> watching;
        if (options->watch && !watch(watching, **home, *options->watch)) {
            ++failures;
            return stop();
        }
        try {
            start(*running, index, std::move(chosen));
        } catch (...) {  // no memory, or `main` was no coroutine's
            fail(home->get(), std::current_exception());
            running->tasks().stop();
        }
        if (std::exception_ptr why = run_to_end(*running, *options)) fail(home->get(), why);
        if (index == 0) await_others(**home);
        watching.reset();
        if (!close(running, *home, *options)) ++failures;
    }

    void run(unsigned index) noexcept {
        try {
            run_loop(index);
        } catch (...) {
            fail(nullptr, std::current_exception());
        }
    }
};

}  // namespace

result<std::unique_ptr<loop>> make_loop(const driver_choice& choice, loop_options options,
                                        selection_report* report) {
    return loop::create(
        [&](const driver_environment& lent) { return make_driver(choice, lent, report); },
        std::move(options));
}

int run(task<> main, const run_options& options) { return run_main(std::move(main), options); }

int run(task<int> main, const run_options& options) {
    int value = 0;
    const int status = run_main(keep_value(std::move(main), value), options);
    return status != 0 ? status : value;
}

int run_loops(unsigned count, std::function<task<>(unsigned index)> main,
              const run_options& options) {
    if (refused_inside_a_loop("run_loops")) return 1;
    const unsigned cores = usable_cores();
    if (count == 0) count = cores;
    fleet all;
    all.main = std::move(main);
    all.options = &options;
    const bool pinned = count > 1 && count <= cores;
    std::vector<std::thread> threads;
    for (unsigned index = 1; index < count; ++index) {
        all.another();
        try {
            threads.emplace_back([&all, index, pinned] {
                if (pinned) pin_to_core(index);
                all.run(index);
                all.another_ended();
            });
        } catch (const std::exception& refused) {
            // Not with fewer: what was opened for the missing loop would wait there for ever.
            std::fprintf(stderr, "upcall: no thread for loop %u of %u: %s\n", index, count,
                         refused.what());
            all.another_ended();
            ++all.failures;
            all.stop();
            break;
        }
    }
    all.run(0);
    for (std::thread& one : threads) one.join();
    return all.failures == 0 ? 0 : 1;
}

}  // namespace upcall
