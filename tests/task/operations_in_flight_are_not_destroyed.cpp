// Destroying a task whose operation is in flight is a fatal error that names the task: the kernel
// may still write into the operation's buffer.
#include <upcall/task/sleep.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class in_flight : public testing::loop_test {
  protected:
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        loop_test::SetUp();
    }
};
UPCALL_ON_EVERY_DRIVER(in_flight);

task<> sleep_long() { EXPECT_FALSE(co_await sleep(1h)); }
task<> sleep_below() { co_await sleep_long(); }
task<> give_way() { co_await yield(); }

/// Starts `what` by hand, in a context of its own, and destroys it when it has suspended.
void start_and_destroy(loop& home, task<> what) {
    struct nobody : detail::task_owner {
    } owner;
    context own(home.root());
    own.set_name("reckless", std::source_location::current());
    home.post([&] {
        what.frame().promise().start_for(own, owner);
        home.resume(what.frame(), own);
    });
    home.run_ready();
    {
        task<> gone = std::move(what);
    }
}

TEST_P(in_flight, destroying_the_task_is_fatal_and_names_it) {
    EXPECT_DEATH(start_and_destroy(home(), sleep_long()),
                 "task \"reckless\" destroyed an operation in flight");
}

TEST_P(in_flight, so_is_destroying_one_that_awaits_it) {
    EXPECT_DEATH(start_and_destroy(home(), sleep_below()),
                 "task \"reckless\" destroyed an operation in flight");
}

TEST_P(in_flight, so_is_destroying_it_between_outcome_and_completion) {
    EXPECT_DEATH(
        {
            struct nobody : detail::task_owner {
            } owner;
            context own(home().root());
            own.set_name("hasty", std::source_location::current());
            task<> what = give_way();
            home().post([&] {
                what.frame().promise().start_for(own, owner);
                home().resume(what.frame(), own);
                task<> gone = std::move(what);  // its yield is queued
            });
            home().run_ready();
        },
        "task \"hasty\" destroyed an operation in flight");
}

}  // namespace
}  // namespace upcall
