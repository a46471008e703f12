// file::limit_transfers: what waits for a place at the kernel is admitted by task class, each
// according to its shares; and what waits can be cancelled, closed and timed out like anything.
#include <upcall/io/file.hpp>

#include <array>
#include <deque>
#include <fstream>
#include <string>
#include <upcall/task/start.hpp>
#include <upcall/task/this_task.hpp>
#include <upcall/task/timeout.hpp>
#include <vector>

#include "io/pairs.hpp"
#include "support/counting_new.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

using namespace std::chrono_literals;

using outcome = result<std::size_t>;

const std::string content = "0123456789abcdef";

/// A file, and a loop whose turns end only when nothing is ready: what completes is seen in the
/// order in which it was admitted, however slow the host is.
class shared_file : public loop_test {
  protected:
    loop_options options() override {
        loop_options chosen = small_loop();
        chosen.limits.turn_time = 1h;
        chosen.limits.resumptions_per_turn = 1'000'000;
        return chosen;
    }

    file opened(std::uint32_t depth) {
        file data = run([&]() -> task<file> {
            const std::string name = GetParam() == "sim" ? "/data" : folder_ / "data";
            auto made = co_await file::open(name, open_read | open_write | open_create);
            const transfer written = co_await made.value().write_all_at(bytes_of(content), 0);
            EXPECT_TRUE(written);
            co_return std::move(*made);
        });
        EXPECT_TRUE(data.limit_transfers(depth));
        return data;
    }

    /// Starts reads of one byte that write down `who` when they have come back.
    void read(scope& in, file& from, char who, int count = 1) {
        while (count-- > 0)
            start(in, from.read_at(byte_span(&bytes_.emplace_back(), 1), 0),
                  [this, who](const outcome& got) {
                      EXPECT_EQ(got.value_or(0), 1U);
                      order_ += who;
                  });
    }

    void finish(const scope& tasks) {
        home().run_until([&] { return tasks.size() == 0; });
    }

    static std::string times(int count, const std::string& what) {
        std::string all;
        while (count-- > 0) all += what;
        return all;
    }

    std::string order_;

  private:
    scratch_folder folder_;
    std::deque<std::byte> bytes_;  // one for each read
};
UPCALL_ON_EVERY_DRIVER(shared_file);

TEST_P(shared_file, admits_ten_of_a_class_with_ten_times_the_shares) {
    task_class many(home(), "many", {.shares = 1000});
    task_class few(home(), "few", {.shares = 100});
    file data = opened(1);
    scope of_many(home().root(), {.in_class = &many});
    scope of_few(home().root(), {.in_class = &few});
    read(of_many, data, 'm');  // finds the place free
    read(of_few, data, 'f', 3);
    read(of_many, data, 'm', 30);
    finish(of_many);
    finish(of_few);
    EXPECT_EQ(order_, "m" + times(3, "f" + times(10, "m")));
}

TEST_P(shared_file, admits_by_shares_also_with_many_places_and_tasks_that_come_again) {
    task_class many(home(), "many", {.shares = 1000});
    task_class few(home(), "few", {.shares = 100});
    file data = opened(8);
    int left = 2200;
    int of_many = 0;
    int of_few = 0;
    // The last are drained without contention, and not counted.
    const auto reader = [&](int& counted) -> task<> {
        std::byte byte{};
        while (left > 0) {
            --left;
            const auto got = co_await data.read_at(byte_span(&byte, 1), 0);
            EXPECT_EQ(got.value_or(0), 1U);
            if (left > 0) ++counted;
        }
    };
    // So many that of both classes some wait, even when 8 are at the kernel and 8 have come back.
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 20; ++i) {
                tasks.spawn_now(reader(of_many), many, "many");
                tasks.spawn_now(reader(of_few), few, "few");
            }
            co_return;
        });
    });
    EXPECT_GE(of_many + of_few, 2100);
    EXPECT_NEAR(of_few, (of_many + of_few) / 11, 20);
}

TEST_P(shared_file, is_served_first_in_first_out_without_classes) {
    file data = opened(1);
    scope tasks(home().root());
    for (const char who : std::string("abcdefgh")) read(tasks, data, who);
    finish(tasks);
    EXPECT_EQ(order_, "abcdefgh");
}

TEST_P(shared_file, owes_nothing_to_a_class_that_comes_late) {
    task_class first(home(), "first");
    task_class late(home(), "late");
    file data = opened(1);
    scope of_first(home().root(), {.in_class = &first});
    scope of_late(home().root(), {.in_class = &late});
    read(of_first, data, 'f', 20);
    home().run_until([&] { return order_.size() >= 10; });
    ASSERT_EQ(order_, times(10, "f"));
    read(of_late, data, 'l', 10);
    finish(of_first);
    finish(of_late);
    EXPECT_EQ(order_, times(11, "f") + times(9, "lf") + "l");
}

TEST_P(shared_file, counts_what_a_transfer_asks_for) {
    task_class large(home(), "large");
    task_class small(home(), "small");
    file data = opened(1);
    scope of_large(home().root(), {.in_class = &large});
    scope of_small(home().root(), {.in_class = &small});
    std::vector<std::byte> room(49152);  // with the 16 KiB of any transfer four times as much
    std::array<io_slice, 2> pieces{io_slice(byte_span(room).first(16384)),
                                   io_slice(byte_span(room).subspan(16384))};
    const auto note = [&](const outcome& got) {
        EXPECT_EQ(got.value_or(0), content.size());
        order_ += 'L';
    };
    read(of_small, data, 's');
    start(of_large, data.read_at(byte_span(room), 0), note);
    start(of_large, data.read_at(std::span<io_slice>(pieces), 0), note);
    start(of_large, data.read_at(byte_span(room), 0), note);
    read(of_small, data, 's', 12);
    finish(of_large);
    finish(of_small);
    EXPECT_EQ(order_, "sLsssLssssLsssss");
}

TEST_P(shared_file, lets_what_waits_be_cancelled_and_does_nothing_of_it) {
    task_class few(home(), "few", {.shares = 100});
    file data = opened(1);
    scope tasks(home().root());
    scope of_few(home().root(), {.in_class = &few});
    std::byte untouched{std::byte{'-'}};
    std::error_code why;
    read(tasks, data, 'a');
    started waiting =
        start(of_few, data.read_at(byte_span(&untouched, 1), 0), [&](const outcome& got) {
            ASSERT_FALSE(got);
            why = got.error();
            order_ += 'x';
        });
    read(of_few, data, 'b');
    waiting.cancel();
    waiting.cancel();
    finish(tasks);
    finish(of_few);
    EXPECT_EQ(why, errc::cancelled);
    EXPECT_EQ(untouched, std::byte{'-'});
    EXPECT_EQ(order_, "xab") << "it did not take the place of the others";
}

TEST_P(shared_file, ends_what_waits_at_its_deadline) {
    file data = opened(1);
    scope tasks(home().root());
    std::byte untouched{std::byte{'-'}};
    std::error_code why;
    read(tasks, data, 'a', 3);
    start(tasks, timeout(1ns, data.read_at(byte_span(&untouched, 1), 0)), [&](const outcome& got) {
        ASSERT_FALSE(got);
        why = got.error();
    });
    finish(tasks);
    EXPECT_EQ(why, errc::deadline_exceeded);
    EXPECT_EQ(untouched, std::byte{'-'});
    EXPECT_EQ(order_, "aaa");
}

TEST_P(shared_file, gives_every_transfer_one_outcome_when_all_are_cancelled) {
    file data = opened(2);
    scope tasks(home().root());
    std::array<std::byte, 8> room{};
    std::array<int, 8> outcomes{};
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        start(tasks, data.read_at(byte_span(room).subspan(i, 1), i),
              [&, i, untouched = std::byte{0}](const outcome& got) {
                  ++outcomes[i];
                  if (got) {
                      EXPECT_EQ(room[i], static_cast<std::byte>(content[i]));
                  } else {
                      EXPECT_EQ(got.error(), errc::cancelled);
                      EXPECT_EQ(room[i], untouched);
                  }
                  EXPECT_TRUE(i < 2 || !got) << "it was only waiting";
              });
    }
    tasks.cancel();
    finish(tasks);
    for (const int count : outcomes) EXPECT_EQ(count, 1);
    // The places are free again.
    scope after(home().root());
    read(after, data, 'a', 3);
    finish(after);
    EXPECT_EQ(order_, "aaa");
}

TEST_P(shared_file, ends_what_waits_when_it_is_closed) {
    file data = opened(1);
    scope tasks(home().root());
    std::byte byte{};
    std::string outcomes;
    const auto note = [&](const outcome& got) {
        outcomes += got ? 'v' : got.error() == errc::closed ? 'c' : '?';
    };
    for (int i = 0; i < 4; ++i) start(tasks, data.read_at(byte_span(&byte, 1), 0), note);
    EXPECT_EQ(data.release().error(), std::errc::device_or_resource_busy);
    EXPECT_EQ(data.limit_transfers(2).error(), std::errc::device_or_resource_busy);
    bool closed = false;
    start(tasks, data.close(), [&](const result<void>& done) {
        EXPECT_TRUE(done);
        closed = true;
    });
    EXPECT_FALSE(data);
    finish(tasks);
    EXPECT_TRUE(closed);
    // The one at the kernel may have come back with its byte. Those that waited are told first.
    EXPECT_EQ(outcomes.substr(0, 3), "ccc");
    EXPECT_TRUE(outcomes.substr(3) == "v" || outcomes.substr(3) == "c") << outcomes;
}

TEST_P(shared_file, may_be_destroyed_with_transfers_waiting) {
    std::byte byte{};
    int ended = 0;
    scope tasks(home().root());
    {
        file data = opened(1);
        for (int i = 0; i < 4; ++i)
            start(tasks, data.read_at(byte_span(&byte, 1), 0), [&](const outcome& got) {
                EXPECT_TRUE(got || got.error() == errc::closed);
                ++ended;
            });
    }
    finish(tasks);
    EXPECT_EQ(ended, 4);
}

TEST_P(shared_file, is_moved_with_what_waits) {
    file first = opened(1);
    scope tasks(home().root());
    read(tasks, first, 'a', 3);
    file second = std::move(first);
    read(tasks, second, 'b', 2);
    finish(tasks);
    EXPECT_EQ(order_, "aaabb");
}

TEST_P(shared_file, goes_through_all_steps_of_a_whole_transfer_in_one_place) {
    file data = opened(1);
    scope tasks(home().root());
    std::string room(content.size() + 4, '-');
    read(tasks, data, 'a');
    start(tasks, data.read_exactly_at(room_in(room), 0), [&](const transfer& got) {
        EXPECT_EQ(got.bytes, content.size());
        EXPECT_EQ(got.cause, errc::end_of_stream);
        order_ += 'w';
    });
    read(tasks, data, 'b');
    finish(tasks);
    EXPECT_EQ(order_, "awb");
    EXPECT_EQ(room, content + "----");
}

TEST_P(shared_file, has_its_limit_taken_away) {
    file data = opened(1);
    EXPECT_TRUE(data.limit_transfers(0));
    scope tasks(home().root());
    read(tasks, data, 'a', 3);
    finish(tasks);
    EXPECT_EQ(order_, "aaa");
    EXPECT_EQ(file().limit_transfers(1).error(), errc::closed);
}

// Went wrong: a request kept the queue that the file had when it was made.
TEST_P(shared_file, has_the_limit_that_holds_when_a_transfer_starts) {
    for (const std::uint32_t former : {0U, 1U, 8U}) {
        file data = opened(former);
        std::byte byte{};
        auto made_early = data.read_at(byte_span(&byte, 1), 0);
        EXPECT_TRUE(data.limit_transfers(1));
        scope tasks(home().root());
        read(tasks, data, 'a', 3);
        start(tasks, std::move(made_early), [&](const outcome& got) {
            EXPECT_EQ(got.value_or(0), 1U);
            order_ += 'e';
        });
        read(tasks, data, 'b');
        finish(tasks);
        EXPECT_EQ(std::exchange(order_, ""), "aaaeb") << "the former limit was " << former;
    }
}

TEST_P(shared_file, has_no_limit_that_was_taken_away_before_a_transfer_starts) {
    file data = opened(1);
    std::string room(content.size(), '-');
    auto some = data.read_at(room_in(room), 0);
    auto whole = data.read_exactly_at(room_in(room), 0);
    EXPECT_TRUE(data.limit_transfers(0));
    run([&]() -> task<> {
        EXPECT_EQ((co_await std::move(some)).value_or(0), content.size());
        const transfer got = co_await std::move(whole);
        EXPECT_TRUE(got);
    });
    EXPECT_EQ(room, content);
}

#ifndef UPCALL_TEST_SANITIZED
TEST_P(shared_file, has_the_memory_it_needs_or_says_that_there_is_none) {
    task_class few(home(), "few", {.shares = 100});
    file data = opened(0);
    const int failures = fail_each_allocation([&] {
        const auto limited = data.limit_transfers(1);
        EXPECT_TRUE(limited || limited.error() == std::errc::not_enough_memory);
    });
    EXPECT_GE(failures, 3) << "the queue, its places, and what it keeps of the first class";

    scope of_own(home().root());
    read(of_own, data, 'a', 2);
    const auto starved = [&]() -> task<> {
        std::byte byte{};
        {
            const failing_allocation next(1);
            const auto got = co_await data.read_at(byte_span(&byte, 1), 0);
            EXPECT_TRUE(!got && got.error() == std::errc::not_enough_memory);
        }
        const auto got = co_await data.read_at(byte_span(&byte, 1), 0);
        EXPECT_TRUE(got);
    };
    run([&]() -> task<> { co_await in_class(few, starved()); });
    finish(of_own);
    EXPECT_EQ(order_, "aa");
}
#endif

/// A loop in simulated time, over a kernel of its own.
struct simulated_loop {
    explicit simulated_loop(const sim_options& how) : kernel(how) {
        home = loop::create(
                   [&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
                       return make_sim_driver(kernel, lent);
                   },
                   small_loop())
                   .value();
    }
    sim_kernel kernel;
    std::unique_ptr<loop> home;
};

task<file> simulated_file(std::uint32_t depth) {
    auto made = co_await file::open("/data", open_read | open_write | open_create);
    EXPECT_TRUE(made.value().limit_transfers(depth));
    co_return std::move(*made);
}

// On a disk of which every write is cut short at random, steps of whole writes take turns with
// nobody: two writers of one place do not mix.
TEST(shared_file_in_the_simulator, writes_wholly_what_a_disk_takes_in_pieces) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        sim_options how;
        how.seed = seed;
        how.faults.short_file_write = 700'000;
        const simulated_loop world(how);
        std::string found;
        run_task(*world.home, [](std::string& read) -> task<> {
            file data = co_await simulated_file(1);
            const std::string ones(500, '1');
            const std::string twos(500, '2');
            auto write = [&](const std::string& text) -> task<> {
                const transfer done = co_await data.write_all_at(bytes_of(text), 0);
                EXPECT_TRUE(done);
                EXPECT_EQ(done.bytes, text.size());
            };
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(write(ones));
                tasks.spawn_now(write(twos));
                co_return;
            });
            read.resize(500);
            const transfer got = co_await data.read_exactly_at(room_in(read), 0);
            EXPECT_TRUE(got);
        }(found));
        EXPECT_EQ(found, std::string(500, found.front())) << "seed " << seed;
    }
}

// A class that has had more than its share of the loop does not run for a long time. The place of
// its transfer is another's all the same, as soon as the kernel is done with it.
TEST(shared_file_in_the_simulator, has_no_place_taken_by_a_class_that_waits_for_the_loop) {
    simulated_loop world({});
    task_class low(*world.home, "low", {.shares = 1});
    task_class high(*world.home, "high", {.shares = 1000});
    bool begun = false;
    bool over = false;
    int handlers = 0;
    run_task(*world.home, [&]() -> task<> {
        file data = co_await simulated_file(1);
        std::byte byte{};
        const auto overdrawn = [&]() -> task<> {
            world.kernel.spend(1s);
            begun = true;
            const auto got = co_await data.read_at(byte_span(&byte, 1), 0);
            EXPECT_TRUE(got);
        };
        const auto waiting = [&]() -> task<> {
            while (!begun) co_await yield();
            const auto got = co_await data.read_at(byte_span(&byte, 1), 0);
            EXPECT_TRUE(got);
            over = true;
        };
        const auto busy = [&]() -> task<> {
            for (; !over && handlers < 1000; ++handlers) {
                world.kernel.spend(100us);
                co_await yield();
            }
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(overdrawn(), low, "low");
            tasks.spawn_now(waiting(), high, "high");
            tasks.spawn_now(busy(), high, "busy");
            co_return;
        });
    }());
    EXPECT_LT(handlers, 1000) << "the second transfer had to wait for the first one's task";
}

}  // namespace
}  // namespace upcall::testing
