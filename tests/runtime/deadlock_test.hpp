// Tasks that are to wait for one another, and a look at them.
#pragma once

#include <upcall/runtime/deadlock.hpp>
#include <upcall/runtime/program.hpp>

#include <chrono>
#include <optional>
#include <source_location>
#include <string>
#include <upcall/sync/event.hpp>
#include <upcall/sync/mutex.hpp>
#include <vector>

#include "support/loop_test.hpp"

namespace upcall::testing {

class deadlock_test : public loop_test {
  protected:
    using names = std::vector<std::string>;

    scope& tasks() {
        if (!tasks_) tasks_.emplace(home().root());
        return *tasks_;
    }
    void spawn(task<> what, const char* name,
               std::source_location where = std::source_location::current()) {
        tasks().spawn_now(std::move(what), name, where);
    }
    /// Runs what can run, and looks.
    deadlock look() {
        home().run_ready();
        return find_deadlock(home());
    }
    /// What the program is told of, once, when it runs; it is cancelled for it.
    deadlock told_by(program& running) {
        deadlock seen;
        int told = 0;
        running.on_deadlock(
            [&](const deadlock& found) {
                ++told;
                seen = found;
                home().post([&] { running.tasks().cancel(); });
            },
            std::chrono::milliseconds(1));
        EXPECT_FALSE(running.run());
        EXPECT_EQ(told, 1);
        running.on_deadlock({});
        return seen;
    }
    task<> wait() { static_cast<void>(co_await never_.wait()); }

    void end_tasks() {
        if (!tasks_) return;
        tasks_->cancel();
        home().run();
        tasks_.reset();
    }
    void TearDown() override {
        end_tasks();
        loop_test::TearDown();
    }

    mutex one_;
    mutex two_;
    event never_;
    std::optional<scope> tasks_;
};

inline task<> lock_both(mutex& first, mutex& second) {
    const auto held = co_await first.lock();
    co_await yield();
    const auto both = co_await second.lock();
}

}  // namespace upcall::testing
