// Loops to run tests on: one place where drivers are made by name, and the test body that runs on
// every driver.
//
//     using promise_of_x = upcall::testing::loop_test;
//     UPCALL_ON_EVERY_DRIVER(promise_of_x);
//     TEST_P(promise_of_x, holds) {
//         run([&]() -> task<> { EXPECT_TRUE(co_await sleep(1ms)); });
//     }
//
// UPCALL_TEST_DRIVER names one driver to test alone.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <upcall/driver/select.hpp>
#include <upcall/driver/sim_kernel.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/task.hpp>
#include <utility>
#include <vector>

namespace upcall::testing {

/// Small pools: tests make many loops.
inline loop_options small_loop() {
    loop_options options;
    options.buffers = {.small_count = 256, .large_count = 16};
    return options;
}

/// A loop on this thread over the named driver, or null if this host has none of that name. "sim"
/// is a simulated kernel of its own: its time is virtual, and jumps when the loop waits.
inline std::unique_ptr<loop> make_test_loop(const std::string& name,
                                            loop_options options = small_loop()) {
    std::shared_ptr<sim_kernel> kernel;
    if (name == "sim") {
        kernel = std::make_shared<sim_kernel>();
        // The chooser lives as long as the loop, and keeps the kernel: what it chooses is the
        // front.
        if (!options.choose) options.choose = [](std::size_t) { return std::size_t{0}; };
        options.choose = [kernel, choose = options.choose](std::size_t count) {
            return choose(count);
        };
    }
    auto made = loop::create(
        [&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
            if (kernel) return make_sim_driver(*kernel, lent);
            return make_driver({.name = name, .uring = {}}, lent);
        },
        std::move(options));
    return made ? std::move(*made) : nullptr;
}

/// The drivers that this host has, or the one that UPCALL_TEST_DRIVER names. `sigio` and
/// `kqueue` are left to the conformance suite: all but their pollers is what `poll` runs through.
inline std::vector<std::string> tested_kernels() {
    if (const char* only = std::getenv("UPCALL_TEST_DRIVER")) return {only};
    std::vector<std::string> names;
    for (const std::string& name : driver_names())
        if (name != "sigio" && name != "kqueue" && make_test_loop(name)) names.push_back(name);
    return names;
}

/// The same, and the simulated kernel.
inline std::vector<std::string> tested_drivers() {
    std::vector<std::string> names = tested_kernels();
    if (!std::getenv("UPCALL_TEST_DRIVER")) names.emplace_back("sim");
    return names;
}

/// The first driver of this host, for tests that have nothing to do with drivers.
inline std::unique_ptr<loop> make_any_loop(loop_options options = small_loop()) {
    const char* only = std::getenv("UPCALL_TEST_DRIVER");
    return make_test_loop(only ? only : driver_names().front(), std::move(options));
}

/// Runs `what` on `home`, below `where`, until it and all it started have ended. Yields what it
/// returned, throws what it threw.
template <class T>
T run_task(loop& home, context& where, task<T> what) {
    scope tasks(where);
    if constexpr (std::is_void_v<T>) {
        tasks.spawn_now(std::move(what), "test");
        while (tasks.size() > 0) home.turn(loop::wait::allowed);
        if (tasks.exception()) std::rethrow_exception(tasks.exception());
    } else {
        std::optional<T> value;
        auto keep = [](task<T> inner, std::optional<T>& into) -> task<> {
            into.emplace(co_await std::move(inner));
        };
        tasks.spawn_now(keep(std::move(what), value), "test");
        while (tasks.size() > 0) home.turn(loop::wait::allowed);
        if (tasks.exception()) std::rethrow_exception(tasks.exception());
        return std::move(*value);
    }
}

template <class T>
T run_task(loop& home, task<T> what) {
    return run_task(home, home.root(), std::move(what));
}

/// One body per driver.
class loop_test : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        home_ = make_test_loop(GetParam(), options());
        ASSERT_TRUE(home_) << "no driver " << GetParam();
    }
    void TearDown() override { home_.reset(); }

    /// For tests that need a loop of their own kind.
    virtual loop_options options() { return small_loop(); }

    loop& home() noexcept { return *home_; }
    std::unique_ptr<loop>& owned_loop() noexcept { return home_; }

    /// Runs `body`, a coroutine lambda, to its end.
    template <class Body>
    auto run(Body body) {
        return run_task(*home_, body());
    }

  private:
    std::unique_ptr<loop> home_;
};

}  // namespace upcall::testing

/// Instantiates a suite derived from TestWithParam<std::string> for every driver of this host and
/// the simulated kernel.
#define UPCALL_ON_EVERY_DRIVER(suite)                                                  \
    INSTANTIATE_TEST_SUITE_P(drivers, suite,                                           \
                             ::testing::ValuesIn(::upcall::testing::tested_drivers()), \
                             [](const auto& instance) { return std::string(instance.param); })
