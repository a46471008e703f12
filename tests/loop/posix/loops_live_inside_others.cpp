// A loop that another one turns: all that completes there is told by one descriptor and a time.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <future>
#include <thread>

#include <upcall/io/file.hpp>
#include <upcall/io/pipe.hpp>
#include <upcall/io/readiness.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/run_blocking.hpp>
#include <upcall/task/timeout.hpp>

#include "io/pairs.hpp"
#include "support/embedded_loop.hpp"
#include "support/scratch_folder.hpp"
#include "support/stream_ends.hpp"
#include "support/test_loop.hpp"

namespace upcall::testing {
namespace {

using namespace std::chrono_literals;

/// The host: it turns the loop when it is told to, and never otherwise.
class embedded : public io_test {
  protected:
    loop_options options() override { return embedded_loop(); }

    bool readable_within(int milliseconds) {
        pollfd inner{static_cast<int>(home().native_handle().value()), POLLIN, 0};
        int found = -1;
        do {
            found = ::poll(&inner, 1, milliseconds);
        } while (found < 0 && errno == EINTR);
        return found > 0;
    }

    /// Waits as a host does. False: nothing has told it to turn the loop for a minute.
    bool wait_for_loop() {
        const int milliseconds = home().wait_milliseconds();
        if (milliseconds >= 0) {
            readable_within(milliseconds);
            return true;
        }
        const bool told = readable_within(60'000);
        EXPECT_TRUE(told) << "something is missing that only another turn would find";
        return told;
    }

    template <class Done>
    void turn_until(Done done) {
        while (!done() && wait_for_loop()) home().turn(loop::wait::none);
    }

    void host(task<> body) {
        scope tasks(home().root());
        tasks.spawn_now(std::move(body), "guest");
        turn_until([&] { return tasks.size() == 0; });
        if (tasks.exception()) std::rethrow_exception(tasks.exception());
    }

    /// Until there is nothing to do: what was asked of the kernel may still be answered.
    void settle() {
        for (int turns = 0; home().wait_milliseconds() == 0 || readable_within(0); ++turns) {
            ASSERT_LT(turns, 1000) << "it has always something to do";
            home().turn(loop::wait::none);
        }
    }
};
// With UPCALL_TEST_DRIVER naming another.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(embedded);
INSTANTIATE_TEST_SUITE_P(drivers, embedded, ::testing::ValuesIn(embedded_kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(embedded, has_one_descriptor_all_its_life) {
    const auto first = home().native_handle();
    ASSERT_TRUE(first);
    host([](loop& mine, native_handle seen) -> task<> {
        stream_ends pair(mine);
        EXPECT_TRUE(co_await pair.here.write_all(bytes_of("x")));
        EXPECT_EQ(mine.native_handle().value(), seen);
    }(home(), *first));
    EXPECT_EQ(home().native_handle().value(), *first);
}

TEST_P(embedded, asks_for_nothing_while_nothing_happens) {
    settle();
    EXPECT_EQ(home().next_deadline(), never);
    EXPECT_EQ(home().wait_milliseconds(), -1);
    EXPECT_FALSE(readable_within(0));
    stream_ends pair(home());
    scope tasks(home().root());
    tasks.spawn_now([](byte_stream& from) -> task<> {
        EXPECT_EQ((co_await from.receive()).error(), errc::cancelled);
    }(pair.here));
    EXPECT_EQ(home().wait_milliseconds(), 0) << "what was started is to be handed over";
    home().turn(loop::wait::none);
    settle();
    EXPECT_EQ(home().wait_milliseconds(), -1) << "it waits for the peer alone";
    tasks.cancel();
    turn_until([&] { return tasks.size() == 0; });
}

TEST_P(embedded, tells_when_its_timers_are_due) {
    settle();
    const time_point before = home().read_clock();
    scope tasks(home().root());
    tasks.spawn_now([]() -> task<> { EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled); }());
    home().turn(loop::wait::none);
    settle();
    EXPECT_GE(home().next_deadline(), before + 1h);
    EXPECT_GT(home().wait_milliseconds(), 3'000'000);
    tasks.cancel();
    turn_until([&] { return tasks.size() == 0; });
    host([](loop& mine) -> task<> {
        const time_point start = mine.read_clock();
        for (int count = 0; count < 10; ++count) EXPECT_TRUE(co_await sleep(1ms));
        EXPECT_GE(mine.read_clock(), start + 10ms);
    }(home()));
}

TEST_P(embedded, moves_streams_in_both_directions) {
    host([]() -> task<> {
        tcp_pair pair = co_await connected_pair();
        const std::string sent = pattern(3'000'000);
        std::string got;
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](tcp::stream& to, const std::string& all) -> task<> {
                EXPECT_TRUE(co_await to.write_all(bytes_of(std::string_view(all))));
                EXPECT_TRUE(co_await to.shut_down_writing());
            }(pair.here, sent));
            got = co_await read_to_end(pair.there);
        });
        EXPECT_TRUE(got == sent);
    }());
}

TEST_P(embedded, goes_on_after_its_buffers_ran_dry) {
    host([](loop& mine) -> task<> {
        constexpr std::size_t pairs = 400;  // of which each holds a small buffer, and there are 256
        std::vector<stream_ends> ends;
        ends.reserve(pairs);
        for (std::size_t count = 0; count < pairs; ++count) {
            ends.emplace_back(mine);
            EXPECT_TRUE(co_await ends.back().there.write_all(bytes_of("y")));
        }
        std::size_t got = 0;
        event all;
        co_await with_scope([&](scope& readers) -> task<> {
            for (stream_ends& one : ends)
                readers.spawn_now([](byte_stream& from, std::size_t& count) -> task<> {
                    const auto chunk = co_await from.receive();
                    EXPECT_TRUE(chunk);
                    ++count;
                    EXPECT_TRUE(co_await sleep(1ms));
                }(one.here, got));
            co_return;
        });
        EXPECT_EQ(got, pairs);
    }(home()));
}

TEST_P(embedded, reads_and_syncs_files_and_calls_what_blocks) {
    const scratch_folder folder;
    host([](std::string name) -> task<> {
        auto data = (co_await file::open(name, open_read | open_write | open_create)).value();
        const std::string text = pattern(100'000);
        for (int round = 0; round < 20; ++round) {
            EXPECT_TRUE(co_await data.write_all_at(bytes_of(std::string_view(text)), 0));
            EXPECT_TRUE(co_await data.sync());
            std::string got(text.size(), '\0');
            EXPECT_TRUE(co_await data.read_exactly_at(room_in(got), 0));
            EXPECT_TRUE(got == text);
            const auto square = co_await run_blocking([round] { return round * round; });
            EXPECT_EQ(square, round * round);
        }
    }(folder / "file"));
}

TEST_P(embedded, is_told_of_what_other_threads_post) {
    constexpr int posts = 2000;
    int ran = 0;
    // One after the other, so that each finds the host asleep or about to fall asleep.
    std::thread poster([&] {
        for (int count = 0; count < posts; ++count) {
            std::promise<void> done;
            EXPECT_TRUE(home().post([&] {
                ++ran;
                done.set_value();
            }));
            done.get_future().wait();
        }
    });
    turn_until([&] { return ran == posts; });
    poster.join();
}

TEST_P(embedded, is_told_of_what_comes_from_outside) {
    constexpr int lines = 500;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    std::atomic<int> seen{0};
    std::thread writer([&] {
        for (int count = 0; count < lines; ++count) {
            EXPECT_EQ(::write(ends[1], "z", 1), 1);
            while (seen.load() <= count) std::this_thread::yield();
        }
        ::close(ends[1]);
    });
    host([](int reading, std::atomic<int>& count) -> task<> {
        auto from = pipe::adopt(reading).value();
        while (auto chunk = co_await from.receive()) count += static_cast<int>(chunk->size());
    }(ends[0], seen));
    writer.join();
    EXPECT_EQ(seen, lines);
}

TEST_P(embedded, is_cancelled_and_closed_like_any_other) {
    host([](loop& mine) -> task<> {
        for (int round = 0; round < 50; ++round) {
            stream_ends pair(mine);
            const auto late = co_await timeout(100us, pair.here.receive());
            EXPECT_EQ(late.error(), errc::deadline_exceeded);
            co_await with_scope([&](scope& side) -> task<> {
                side.spawn_now([](byte_stream& from) -> task<> {
                    EXPECT_FALSE(co_await from.receive());
                }(pair.here));
                static_cast<void>(co_await sleep(duration(0)));
                EXPECT_TRUE(co_await pair.here.close());
            });
        }
    }(home()));
}

TEST_P(embedded, may_run_by_itself_in_between) {
    const auto once = [](loop& mine) -> task<> {
        stream_ends pair(mine);
        EXPECT_TRUE(co_await pair.here.write_all(bytes_of("x")));
        EXPECT_TRUE(co_await pair.there.receive());
        EXPECT_TRUE(co_await sleep(1ms));
    };
    for (int round = 0; round < 3; ++round) {
        host(once(home()));
        run_task(home(), once(home()));
    }
}

TEST(embedding, has_to_be_said_when_the_loop_is_made) {
    for (const std::string& name : tested_drivers()) {
        const auto home = make_test_loop(name);
        EXPECT_EQ(home->native_handle().error(), std::errc::operation_not_permitted) << name;
    }
}

TEST(embedding, is_refused_by_drivers_that_are_no_descriptor) {
    std::vector<std::string> names = {"poll", "select", "sigio", "sim"};
#ifdef __linux__
    names.emplace_back("kqueue");  // by libkqueue
#endif
    for (const std::string& name : names) {
        const auto home = make_test_loop(name, embedded_loop());
        if (!home) continue;
        EXPECT_EQ(home->native_handle().error(), errc::unsupported) << name;
    }
}

}  // namespace
}  // namespace upcall::testing
