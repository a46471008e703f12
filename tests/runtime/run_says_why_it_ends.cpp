// What `run` prints when a program cannot start, ends by an error, or holds on past its grace.
#include <upcall/runtime/run.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall/io/tcp.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/run_blocking.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/when_all.hpp>

namespace upcall {
namespace {

using namespace std::chrono_literals;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

task<> wait_for_ever(event& never_set) { static_cast<void>(co_await never_set.wait()); }
task<> sleep_long() { static_cast<void>(co_await sleep(1h)); }

task<> hold_on() {
    event never_set;
    co_await with_scope([&](scope& tasks) -> task<> {
        tasks.spawn_now(wait_for_ever(never_set), "waiter");
        tasks.spawn_now(wait_for_ever(never_set), "waiter");
        tasks.spawn_now(sleep_long(), "sleeper");
        std::raise(SIGTERM);
        co_return;
    });
}

TEST(run, names_the_tasks_that_hold_on_past_the_grace) {
    CaptureStderr();
    EXPECT_EQ(run(hold_on(), {.grace = 1ms}), 0);
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: the grace period is over; cancelled: \"waiter\" (2), \"sleeper\" (1)\n");
}

TEST(run_loops, names_the_tasks_that_hold_on_past_the_grace) {
    CaptureStderr();
    EXPECT_EQ(run_loops(1, [](unsigned) { return hold_on(); }, {.grace = 1ms}), 0);
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: the grace period is over; cancelled: \"waiter\" (2), \"sleeper\" (1)\n");
}

/// A task whose call a thread of the pool does not come back from, before `end` allows it.
struct busy_thread {
    std::atomic<bool> began{false};
    std::atomic<bool> may_end{false};
    std::atomic<bool> ended{false};
};

task<> call_for_ever(busy_thread* with) {
    const auto called = co_await run_blocking([with] {
        with->began = true;
        while (!with->may_end) std::this_thread::yield();
        with->ended = true;
    });
    static_cast<void>(called);
}

task<> be_stuck(busy_thread* with) {
    co_await with_scope([&](scope& tasks) -> task<> {
        tasks.spawn_now(call_for_ever(with), "stuck");
        while (!with->began) co_await yield();
        std::raise(SIGTERM);
    });
}

void end(busy_thread& with) {
    with.may_end = true;
    while (!with.ended) std::this_thread::yield();
}

constexpr const char* stuck_lines =
    "upcall: the grace period is over; cancelled: \"stuck\" (1)\n"
    "upcall: the loop is leaked, with 2 tasks and 0 handles; still under way: operations of "
    "\"stuck\" (1)\n";

TEST(run, leaves_what_the_kernel_holds_when_the_close_grace_is_over) {
    busy_thread with;
    CaptureStderr();
    EXPECT_EQ(run(be_stuck(&with), {.grace = 1ms, .close_grace = 1ms}), 1);
    EXPECT_EQ(GetCapturedStderr(), stuck_lines);
    end(with);
}

TEST(run_loops, leave_what_the_kernel_holds_when_the_close_grace_is_over) {
    busy_thread with;
    CaptureStderr();
    EXPECT_EQ(
        run_loops(1, [&](unsigned) { return be_stuck(&with); }, {.grace = 1ms, .close_grace = 1ms}),
        1);
    EXPECT_EQ(GetCapturedStderr(), stuck_lines);
    end(with);
}

TEST(run, has_nothing_to_leave_when_all_ends_in_time) {
    CaptureStderr();
    EXPECT_EQ(run(hold_on(), {.grace = 1ms, .close_grace = 1h}), 0);
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: the grace period is over; cancelled: \"waiter\" (2), \"sleeper\" (1)\n");
}

/// Went wrong: what had ended was not looked at once the grace was over, and with a short one the
/// wait for signals that `run` itself keeps up was taken for something the kernel still holds.
class run_without_close_grace : public ::testing::TestWithParam<std::string> {
  protected:
    run_without_close_grace() {
        const auto home = make_loop({.name = GetParam(), .uring = {}});
        if (!home) skipped_ = home.error().message();
    }
    void SetUp() override {
        if (!skipped_.empty()) GTEST_SKIP() << GetParam() << ": " << skipped_;
    }
    run_options options(duration close_grace) const {
        return {
            .driver = {.name = GetParam(), .uring = {}}, .grace = 0ms, .close_grace = close_grace};
    }
    std::string skipped_;
};
INSTANTIATE_TEST_SUITE_P(drivers, run_without_close_grace, ::testing::ValuesIn(driver_names()),
                         [](const auto& instance) { return instance.param; });

task<> exchange_and_close() {
    auto listener = tcp::listener::bind(address::loopback(0)).value();
    const auto where = listener.local_address().value();
    auto [here, there] = co_await when_all(tcp::connect(where), listener.accept());
    EXPECT_TRUE(co_await here.value().write_all("hello"));
    EXPECT_TRUE(co_await there.value().receive());
    EXPECT_TRUE(co_await there.value().close());
    EXPECT_TRUE(co_await here.value().close());
    EXPECT_TRUE(co_await listener.close());
}

TEST_P(run_without_close_grace, leaves_nothing_of_what_has_ended) {
    for (const duration close_grace : {duration(0us), duration(1us)})
        for (int again = 0; again < 20; ++again) {
            CaptureStderr();
            EXPECT_EQ(run(exchange_and_close(), options(close_grace)), 0);
            EXPECT_EQ(GetCapturedStderr(), "");
        }
}

TEST_P(run_without_close_grace, leaves_nothing_of_what_ends_by_being_cancelled) {
    for (const duration close_grace : {duration(0us), duration(1us)}) {
        CaptureStderr();
        EXPECT_EQ(run(hold_on(), options(close_grace)), 0);
        EXPECT_EQ(GetCapturedStderr(),
                  "upcall: the grace period is over; cancelled: \"waiter\" (2), \"sleeper\" (1)\n");
    }
}

/// Beside another one this takes some turns of the loop.
task<> give_way() {
    for (int times = 0; times < 1000; ++times) co_await yield();
}

// Went wrong: nobody was told of an exception past the grace.
TEST_P(run_without_close_grace, reports_what_is_thrown_when_cancelled) {
    CaptureStderr();
    EXPECT_EQ(run(
                  []() -> task<> {
                      std::raise(SIGTERM);
                      static_cast<void>(co_await sleep(1h));
                      co_await when_all(give_way(), give_way());
                      throw std::runtime_error("too late");
                  }(),
                  options(0us)),
              1);
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: the grace period is over; cancelled: \"main\" (1)\n"
              "upcall: task \"main\" ended by an exception: too late\n");
}

// Went wrong: tasks that ended while their loop was being closed, a moment past the grace, left
// the program's own scopes behind, and the loop was leaked for those: with 0 tasks and 0 handles.
TEST_P(run_without_close_grace, leaves_nothing_of_what_ends_while_the_loop_does) {
    CaptureStderr();
    EXPECT_EQ(run(
                  []() -> task<> {
                      std::raise(SIGTERM);
                      static_cast<void>(co_await sleep(1h));
                      // Past what `run` and program::close wait for.
                      const std::uint64_t end = loop::current()->turns() + 600;
                      while (loop::current()->turns() < end) co_await yield();
                  }(),
                  options(0us)),
              0);
    EXPECT_EQ(GetCapturedStderr(), "upcall: the grace period is over; cancelled: \"main\" (1)\n");
}

TEST(run, names_few_of_many) {
    static constexpr const char* names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    CaptureStderr();
    EXPECT_EQ(run(
                  []() -> task<> {
                      co_await with_scope([&](scope& tasks) -> task<> {
                          for (const char* name : names) tasks.spawn_now(sleep_long(), name);
                          std::raise(SIGTERM);
                          co_return;
                      });
                  }(),
                  {.grace = 1ms}),
              0);
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: the grace period is over; cancelled: \"a\" (1), \"b\" (1), \"c\" (1), "
              "\"d\" (1), \"e\" (1), \"f\" (1), \"g\" (1), \"h\" (1) and others\n");
}

TEST(run, says_nothing_of_tasks_that_stop_in_time) {
    CaptureStderr();
    EXPECT_EQ(run([]() -> task<> {
                  std::raise(SIGTERM);
                  for (bool asked = false; !asked;) {
                      co_await yield();
                      asked = co_await this_task::stop_requested();
                  }
              }()),
              0);
    EXPECT_EQ(GetCapturedStderr(), "");
}

TEST(run, names_the_task_that_an_error_left_first) {
    CaptureStderr();
    EXPECT_EQ(run([]() -> task<> {
                  co_await with_scope([](scope& tasks) -> task<> {
                      tasks.spawn_now(sleep_long(), "innocent");
                      tasks.spawn_now(
                          []() -> task<> {
                              co_await yield();
                              const result<int> missing = failure(errc::closed);
                              static_cast<void>(missing.value());
                          }(),
                          "culprit");
                      co_return;
                  });
              }()),
              1);
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: task \"culprit\" ended by an error nobody handled: "
              "the handle is closed (upcall 6)\n");
}

TEST(run, names_the_address_that_could_not_be_had) {
    std::string where;
    CaptureStderr();
    EXPECT_EQ(run([](std::string& taken) -> task<> {
                  auto first = tcp::listener::bind("127.0.0.1:0").value();
                  taken = first.local_address().value().to_string();
                  auto second = value_or_throw(tcp::listener::bind(taken), "listen on", taken);
                  co_return;
              }(where)),
              1);
    EXPECT_EQ(GetCapturedStderr(), "upcall: task \"main\" ended by an exception: listen on " +
                                       where + ": Address already in use\n");
}

TEST(run, names_the_last_culprit_when_the_first_was_forgiven) {
    CaptureStderr();
    EXPECT_EQ(run([]() -> task<> {
                  auto fail = [](const char* text) -> task<> {
                      co_await yield();
                      throw std::runtime_error(text);
                  };
                  try {
                      co_await with_scope([&](scope& tasks) -> task<> {
                          tasks.spawn_now(fail("first"), "forgiven");
                          co_return;
                      });
                  } catch (const std::runtime_error&) {
                  }
                  co_await fail("second");
              }()),
              1);
    EXPECT_EQ(GetCapturedStderr(), "upcall: task \"main\" ended by an exception: second\n");
}

// It would block the loop of the task that calls it, with all that runs there.
TEST(run, is_refused_inside_a_task) {
    CaptureStderr();
    int inner = 0;
    int inner_loops = 0;
    bool started = false;
    EXPECT_EQ(run([&]() -> task<> {
                  auto never = [&]() -> task<> {
                      started = true;
                      co_return;
                  };
                  inner = run(never());
                  inner_loops = run_loops(1, [&](unsigned) { return never(); });
                  co_return;
              }()),
              0);
    EXPECT_EQ(inner, 1);
    EXPECT_EQ(inner_loops, 1);
    EXPECT_FALSE(started);
    const std::string why =
        " was called on a thread that runs one: "
        "waiting here would block the loop that is waited for (upcall 12)\n";
    EXPECT_EQ(GetCapturedStderr(),
              "upcall: no loop: run" + why + "upcall: no loop: run_loops" + why);
}

task<> nothing() { co_return; }

TEST(run, explains_a_driver_that_it_does_not_know) {
    run_options options;
    options.driver.name = "bogus";
    CaptureStderr();
    EXPECT_EQ(run(nothing(), options), 1);
    const std::string said = GetCapturedStderr();
    EXPECT_NE(said.find("bogus: no such driver; driver_choice::name names it, the choices are "
                        "auto, "),
              said.npos)
        << said;
    for (const std::string& choice : driver_names()) EXPECT_NE(said.find(choice), said.npos);
}

class driver_variable : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const char* set = std::getenv("UPCALL_DRIVER")) before_ = set;
    }
    void TearDown() override {
        if (before_.empty())
            ::unsetenv("UPCALL_DRIVER");
        else
            ::setenv("UPCALL_DRIVER", before_.c_str(), 1);
    }
    std::string refusal(const char* named) {
        ::setenv("UPCALL_DRIVER", named, 1);
        CaptureStderr();
        EXPECT_EQ(run(nothing()), 1);
        return GetCapturedStderr();
    }

  private:
    std::string before_;
};

TEST_F(driver_variable, is_named_when_what_it_says_is_not_there) {
    const std::string bogus = refusal("bogus");
    EXPECT_NE(bogus.find("bogus: no such driver; the environment variable UPCALL_DRIVER names it"),
              bogus.npos)
        << bogus;
    const std::string sim = refusal("sim");
    EXPECT_NE(sim.find("sim: the simulator is chosen in code, by make_sim_driver"), sim.npos)
        << sim;
    const std::string elsewhere = refusal("iocp");
    EXPECT_NE(elsewhere.find("iocp: not on this platform; "), elsewhere.npos) << elsewhere;
}

}  // namespace
}  // namespace upcall
