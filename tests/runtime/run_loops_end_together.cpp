// run_loops: the first exception stops all loops, wherever it comes from, and is told in the
// status.
#include <upcall/runtime/program.hpp>
#include <upcall/runtime/run.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/this_task.hpp>

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "support/counting_new.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

task<> until_stopped() {
    for (bool stopping = false; !stopping;) {
        static_cast<void>(co_await sleep(1ms));
        stopping = co_await this_task::stop_requested();
    }
}

run_options small_loops(const std::string& driver) {
    run_options options;
    options.driver.name = driver;
    options.loop = testing::small_loop();
    options.handle_signals = false;
    return options;
}

class run_loops_with : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (GetParam() == "sim") GTEST_SKIP() << "is one loop's";
    }
};
UPCALL_ON_EVERY_DRIVER(run_loops_with);

// Went wrong: a `main` that throws before it is a task ended the process.
TEST_P(run_loops_with, a_main_that_throws_at_once_stops_the_others) {
    for (const unsigned bad : {0U, 1U, 2U}) {
        auto main = [bad](unsigned index) -> task<> {
            if (index == bad) throw std::runtime_error("no task is made");
            return until_stopped();
        };
        EXPECT_EQ(run_loops(3, main, small_loops(GetParam())), 1);
    }
}

TEST_P(run_loops_with, a_task_that_throws_stops_the_others) {
    for (const unsigned bad : {0U, 1U}) {
        auto main = [bad](unsigned index) -> task<> {
            if (index != bad) co_return co_await until_stopped();
            co_await yield();
            throw std::runtime_error("the task ends");
        };
        EXPECT_EQ(run_loops(2, main, small_loops(GetParam())), 1);
    }
}

TEST_P(run_loops_with, a_shortage_of_memory_is_told_or_survived) {
#ifdef UPCALL_TEST_SANITIZED
    GTEST_SKIP() << "the sanitizers' own operator new cannot be made to fail";
#endif
    const std::function<task<>(unsigned)> main = [](unsigned) -> task<> { co_return; };
    const run_options options = small_loops(GetParam());
    bool short_of_memory = true;
    int failed = 0;
    for (std::size_t n = 1; short_of_memory; ++n) {
        testing::failing_allocation one(n);
        try {
            failed += run_loops(1, main, options);
        } catch (const std::bad_alloc&) {
            ++failed;  // before there was a loop
        }
        short_of_memory = one.failed();
    }
    EXPECT_GT(failed, 0);
}

/// Chooses the first, and keeps every thread but its maker's from having a copy until it may.
class held_up {
  public:
    explicit held_up(std::atomic<bool>& may) : may_(&may) {}
    held_up(const held_up& other) : may_(other.may_), maker_(other.maker_) {
        if (std::this_thread::get_id() != maker_) may_->wait(false);
    }
    held_up& operator=(const held_up&) = delete;
    std::size_t operator()(std::size_t) const { return 0; }

  private:
    std::atomic<bool>* may_;
    std::thread::id maker_ = std::this_thread::get_id();
};

// Went wrong: a loop that was made after the second signal had come was only asked to stop.
TEST_P(run_loops_with, the_second_signal_cancels_a_loop_that_is_late) {
    std::atomic<bool> cancelled = false;
    run_options options = small_loops(GetParam());
    options.handle_signals = true;
    options.loop.choose = held_up(cancelled);
    auto main = [&](unsigned index) -> task<> {
        if (index == 0) {
            std::raise(SIGINT);
            co_await until_stopped();
            std::raise(SIGINT);
        }
        const auto slept = co_await sleep(60s);
        EXPECT_FALSE(slept);
        cancelled = true;
        cancelled.notify_all();
    };
    EXPECT_EQ(run_loops(2, main, options), 0);
}

// Went wrong: a stop that found no memory was lost, and every later signal with it.
TEST(program_control, asks_without_memory) {
    auto home = testing::make_any_loop();
    program running(*home);
    running.tasks().spawn_now(until_stopped(), "test");
    const std::size_t before = testing::this_threads_allocations.made;
    program_control::stop(running.control());
    program_control::stop(running.control());
    program_control::cancel(running.control());
    EXPECT_EQ(testing::this_threads_allocations.made, before);
    EXPECT_EQ(running.run(), nullptr);
}

TEST(program_control, outlives_the_program_and_its_loop) {
    auto home = testing::make_any_loop();
    auto running = std::make_unique<program>(*home);
    auto control = running->control();
    auto late = control;
    running.reset();
    program_control::stop(late);
    home.reset();
    program_control::cancel(control);
    const std::weak_ptr<program_control> watched = control;
    control.reset();
    late.reset();
    EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace upcall
