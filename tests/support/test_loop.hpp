// A loop to run a task on, over every driver of this host, and a fixture that counts what is left.
//
//     class udp_socket : public io_test {};
//     UPCALL_FOR_EVERY_LOOP(udp_socket);
//     TEST_P(udp_socket, keeps_boundaries) {
//         run([&]() -> task<> { … co_await …; });
//     }
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <upcall/driver/select.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/task.hpp>
#include <utility>
#include <vector>

#include "support/descriptors.hpp"

namespace upcall::testing {

/// Small pools: tests make many loops.
inline loop_options small_loop() {
    loop_options options;
    options.buffers = {.small_count = 256, .large_count = 16};
    return options;
}

/// A loop over the named driver, on this thread; null, with a failure recorded, if there is none.
inline std::unique_ptr<loop> make_test_loop(const std::string& driver_name,
                                            loop_options options = small_loop()) {
    selection_report report;
    auto made = loop::create(
        [&](const driver_environment& lent) {
            return make_driver({.name = driver_name, .uring = {}}, lent, &report);
        },
        std::move(options));
    if (!made) {
        ADD_FAILURE() << report.to_string();
        return nullptr;
    }
    return std::move(*made);
}

/// Runs `what` on `home`, below `where`, to its end. Throws what it threw.
template <class T>
T run_task(loop& home, context& where, task<T> what) {
    scope tasks(where);
    if constexpr (std::is_void_v<T>) {
        tasks.spawn_now(std::move(what), "test");
        home.run_until([&] { return tasks.size() == 0; });
        if (tasks.exception()) std::rethrow_exception(tasks.exception());
    } else {
        std::optional<T> value;
        auto keep = [](task<T> inner, std::optional<T>& into) -> task<> {
            into.emplace(co_await std::move(inner));
        };
        tasks.spawn_now(keep(std::move(what), value), "test");
        home.run_until([&] { return tasks.size() == 0; });
        if (tasks.exception()) std::rethrow_exception(tasks.exception());
        return std::move(*value);
    }
}

template <class T>
T run_task(loop& home, task<T> what) {
    return run_task(home, home.root(), std::move(what));
}

/// One body per driver. At its end nothing is left: no descriptor, no leased buffer.
class io_test : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        before_ = open_descriptors();
        home_ = make_test_loop(GetParam());
        ASSERT_TRUE(home_);
    }
    void TearDown() override {
        home_.reset();
        EXPECT_EQ(open_descriptors(), before_) << "descriptors at the end, and at the start";
    }

    loop& home() noexcept { return *home_; }
    const std::string& driver_name() const { return GetParam(); }

    /// Runs `body`, a coroutine lambda, to its end.
    template <class Body>
    auto run(Body body) {
        return run_task(*home_, body());
    }

  private:
    std::unique_ptr<loop> home_;
    std::vector<int> before_;
};

/// Every driver of this host, or those that UPCALL_TEST_DRIVER names.
inline std::vector<std::string> tested_drivers() {
    const char* only = std::getenv("UPCALL_TEST_DRIVER");
    if (only) return {only};
    return driver_names();
}

}  // namespace upcall::testing

#define UPCALL_FOR_EVERY_LOOP(suite)                                                   \
    INSTANTIATE_TEST_SUITE_P(drivers, suite,                                           \
                             ::testing::ValuesIn(::upcall::testing::tested_drivers()), \
                             [](const auto& instance) { return std::string(instance.param); })
