// Many committers on a simulated disk that fails now and then: whatever the seed, what was
// acknowledged is in the file, in order, and nothing is acknowledged after a failure.
#include "held_disk.hpp"
#include "support/loop_test.hpp"

namespace upcall::testing {
namespace {

struct ledger {
    struct entry {
        std::uint64_t offset;
        std::string record;
    };
    std::vector<entry> acknowledged;
    int refused = 0;
    bool failed = false;
    std::uint64_t mark = 0;
};

task<> commit_some(ordered_writer& log, ledger& kept, int who) {
    for (int count = 0; count < 20; ++count) {
        const std::string record = "<" + std::to_string(who) + ":" + std::to_string(count) + ">";
        const bool too_late = static_cast<bool>(log.broken());
        const auto added = co_await log.commit(bytes_of(record));
        EXPECT_GE(log.durable_mark(), kept.mark) << "it went back";
        kept.mark = log.durable_mark();
        if (!added) {
            ++kept.refused;
            kept.failed = true;
            continue;
        }
        EXPECT_FALSE(too_late) << record << " was acknowledged by a broken writer";
        EXPECT_LE(added.mark, kept.mark);
        kept.acknowledged.push_back({added.offset, record});
    }
}

task<> check(ledger& kept, sync_way way) {
    auto opened = co_await ordered_writer::open("/log", {.way = way});
    if (!opened) co_return;  // a fault of opening
    auto log = std::move(*opened);
    co_await with_scope([&](scope& writers) -> task<> {
        for (int who = 0; who < 8; ++who) writers.spawn_now(commit_some(log, kept, who));
        co_return;
    });
    EXPECT_EQ(kept.failed, static_cast<bool>(log.broken()));
}

task<> look(const ledger& kept) {
    result<file> from = failure(errc::closed);
    while (!from) from = co_await file::open("/log", open_read | open_write | open_create);
    for (const auto& entry : kept.acknowledged) {
        std::string room(entry.record.size(), '\0');
        const auto bytes = std::as_writable_bytes(std::span(room.data(), room.size()));
        for (bool read = false; !read;)
            read = bool(co_await from->read_exactly_at(bytes, entry.offset));
        EXPECT_EQ(room, entry.record);
    }
}

TEST(under_faults, what_was_acknowledged_is_there_and_nothing_is_after_a_failure) {
    std::size_t acknowledged = 0;
    int refused = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        sim_options options;
        options.seed = seed;
        options.faults.file_error = 10'000;
        options.faults.short_file_write = 300'000;
        sim_kernel kernel(options);
        auto home = loop::create([&](const driver_environment& lent) {
                        return result<std::unique_ptr<driver>>(make_sim_driver(kernel, lent));
                    }).value();
        ledger kept;
        run_task(*home, check(kept, seed % 2 ? sync_way::sync_after : sync_way::write_through));
        run_task(*home, look(kept));
        acknowledged += kept.acknowledged.size();
        refused += kept.refused;
    }
    EXPECT_GT(acknowledged, 1000U) << "too many faults to see anything";
    EXPECT_GT(refused, 100) << "too few";
}

}  // namespace
}  // namespace upcall::testing
