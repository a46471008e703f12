// The writer on real files, and on those of the simulated kernel.
#include <algorithm>

#include "file_test.hpp"

namespace upcall::testing {
namespace {

using ordered_writers = file_test;
UPCALL_ON_EVERY_DRIVER(ordered_writers);

constexpr const char* parts[] = {"one ", "two ", "three"};
constexpr sync_way both_ways[] = {sync_way::sync_after, sync_way::write_through};

TEST_P(ordered_writers, goes_on_at_the_end_of_the_file) {
    run([&]() -> task<> {
        for (const char* text : parts) {
            auto log = (co_await ordered_writer::open(path("log"))).value();
            const auto added = co_await log.commit(bytes_of(text));
            EXPECT_TRUE(added) << added.cause.message();
            EXPECT_EQ(log.durable_mark(), 1U);
            EXPECT_TRUE(co_await log.close());
            EXPECT_FALSE(log);
        }
        EXPECT_EQ(co_await content(path("log")), "one two three");
    });
}

TEST_P(ordered_writers, serves_many_at_once_in_either_way) {
    run([&]() -> task<> {
        for (const sync_way way : both_ways) {
            const std::string name = path(way == sync_way::sync_after ? "after" : "through");
            auto log = (co_await ordered_writer::open(name, {.way = way})).value();
            EXPECT_EQ(log.way(), way);
            const auto add = [](ordered_writer& to, int who) -> task<> {
                for (int count = 0; count < 8; ++count) {
                    const std::string record = std::to_string(who) + ":" + std::to_string(count);
                    const auto added = co_await to.commit(bytes_of(record + "\n"));
                    EXPECT_TRUE(added) << added.cause.message();
                    EXPECT_GE(to.durable_mark(), added.mark);
                }
            };
            co_await with_scope([&](scope& writers) -> task<> {
                for (int who = 0; who < 16; ++who) writers.spawn_now(add(log, who), "writer");
                co_return;
            });
            EXPECT_EQ(log.durable_mark(), 128U);
            EXPECT_TRUE(co_await log.close());
            const std::string all = co_await content(name);
            EXPECT_EQ(std::ranges::count(all, '\n'), 128);
            for (int who = 0; who < 16; ++who) {
                std::size_t from = 0;
                for (int count = 0; count < 8; ++count) {
                    const std::string record = std::to_string(who) + ":" + std::to_string(count);
                    const std::size_t at = all.find(record + "\n", from);
                    EXPECT_NE(at, all.npos) << record << " is lost, or came before its time";
                    from = at;
                }
            }
        }
    });
}

TEST_P(ordered_writers, the_last_to_be_started_wins_where_they_overlap) {
    run([&]() -> task<> {
        auto page = (co_await ordered_writer::open(path("page"))).value();
        const std::string old(100'000, 'o');
        const std::string young(50'000, 'y');
        co_await with_scope([&](scope& writers) -> task<> {
            const auto put_at = [](ordered_writer& to, const std::string& what,
                                   std::uint64_t offset) -> task<> {
                EXPECT_TRUE(co_await to.write_at(bytes_of(what), offset));
            };
            for (int count = 0; count < 20; ++count) {
                writers.spawn_now(put_at(page, old, 0));
                writers.spawn_now(put_at(page, young, 25'000));
            }
            co_return;
        });
        EXPECT_TRUE(co_await page.sync());
        const std::string all = co_await content(path("page"));
        EXPECT_TRUE(all == old.substr(0, 25'000) + young + old.substr(75'000));
    });
}

TEST_P(ordered_writers, opens_nothing_but_files_that_can_be_written) {
    run([&]() -> task<> {
        const auto folder = co_await ordered_writer::open(path(""));
        EXPECT_EQ(folder.error(), std::errc::is_a_directory);
        const auto lost = co_await ordered_writer::open(path("none/log"));
        EXPECT_EQ(lost.error(), std::errc::no_such_file_or_directory);
        const auto narrow = co_await ordered_writer::open(path("log"), {.waiting_max = 0});
        EXPECT_EQ(narrow.error(), std::errc::invalid_argument);
        EXPECT_EQ(co_await names(), "");
        const auto none = ordered_writer::over(file(), 0);
        EXPECT_EQ(none.error(), errc::closed);
    });
}

TEST_P(ordered_writers, a_file_that_cannot_be_written_says_so_and_breaks_the_writer) {
    run([&]() -> task<> {
        co_await put(path("data"), "old");
        auto only_read = (co_await file::open(path("data"), open_read)).value();
        auto log = ordered_writer::over(std::move(only_read), 3).value();
        const auto added = co_await log.append(bytes_of("new"));
        EXPECT_EQ(added.cause, std::errc::bad_file_descriptor);
        EXPECT_EQ(added.bytes, 0U);
        const auto again = co_await log.append(bytes_of("new"));
        EXPECT_EQ(again.cause, errc::broken_stream);
        EXPECT_EQ(co_await content(path("data")), "old");
    });
}

TEST_P(ordered_writers, a_writer_of_another_loop_is_refused) {
    auto other = make_test_loop(GetParam());
    ordered_writer log = run([&]() -> task<ordered_writer> {
        co_return (co_await ordered_writer::open(path("log"))).value();
    });
    run_task(*other, [](ordered_writer& strange) -> task<> {
        const auto added = co_await strange.append(bytes_of("x"));
        EXPECT_EQ(added.cause, errc::wrong_loop);
        const auto synced = co_await strange.sync();
        EXPECT_EQ(synced.error(), errc::wrong_loop);
    }(log));
}

TEST_P(ordered_writers, a_loop_that_ends_waits_for_what_the_kernel_has) {
    const std::string text(1 << 20, 'x');
    {
        scope tasks(home().root());
        const auto begin = [](std::string name, byte_view bytes) -> task<> {
            auto log = (co_await ordered_writer::open(std::move(name))).value();
            static_cast<void>(co_await timeout(duration::zero(), log.commit(bytes)));
        };
        tasks.spawn_now(begin(path("log"), bytes_of(text)));
        while (tasks.size() > 0) home().turn(loop::wait::allowed);
    }
    owned_loop().reset();
}

// ---- what it costs ----------------------------------------------------------------------------

TEST_P(ordered_writers, the_cheaper_way_is_measured_once_and_leaves_nothing_behind) {
    run([&]() -> task<> {
        const sync_cost cost = co_await sync_cost_of(path(""));
        EXPECT_TRUE(cost.measured);
        EXPECT_EQ(cost.cheaper, cost.write_through < cost.sync_after ? sync_way::write_through
                                                                     : sync_way::sync_after);
        EXPECT_EQ(co_await names(), "");
        if (!simulated()) {
            const sync_cost again = co_await sync_cost_of(path(""));
            EXPECT_EQ(again.sync_after, cost.sync_after) << "of one device it is remembered";
            EXPECT_EQ(again.write_through, cost.write_through);
        }
        auto log = (co_await ordered_writer::open(path("log"))).value();
        if (!simulated()) {
            EXPECT_EQ(log.way(), cost.cheaper);
        }
    });
}

TEST_P(ordered_writers, where_nothing_can_be_measured_a_sync_comes_after) {
    run([&]() -> task<> {
        const sync_cost cost = co_await sync_cost_of(path("none"));
        EXPECT_FALSE(cost.measured);
        EXPECT_EQ(cost.cheaper, sync_way::sync_after);
    });
}

}  // namespace
}  // namespace upcall::testing
