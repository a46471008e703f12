#include <charconv>

#include "conformance/fixture.hpp"
#include "conformance/posix/power_cut.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

constexpr int rounds = 8;

/// What the program was told before the cut.
struct promises {
    std::vector<std::pair<std::uint64_t, std::string>> records;  // by their offsets
    std::uint64_t version_acknowledged = 0;
    std::uint64_t version_begun = 0;
    bool over = false;
};

task<> append_until_the_cut(ordered_writer& log, promises& kept, int who) {
    for (int count = 0; !kept.over; ++count) {
        const std::string record = counted_text(500, static_cast<std::size_t>(who * 1000 + count));
        const auto added = co_await log.commit(bytes_of(record));
        if (!added || kept.over) co_return;
        kept.records.emplace_back(added.offset, record);
    }
}

task<> replace_until_the_cut(std::string name, promises& kept) {
    while (!kept.over) {
        const std::string version = std::to_string(++kept.version_begun);
        const auto done = co_await atomic_replace(name, bytes_of(version));
        if (!done || kept.over) co_return;
        kept.version_acknowledged = kept.version_begun;
    }
}

/// Runs until there are enough promises, some turns more, and cuts.
task<> live_and_die(mortal_disk& disk, promises& kept, std::size_t enough, int further_turns) {
    auto opened = co_await ordered_writer::open(disk.path() + "/log");
    auto log = std::move(opened.value());
    co_await with_scope([&](scope& tasks) -> task<> {
        for (int who = 0; who < 4; ++who)
            tasks.spawn_now(append_until_the_cut(log, kept, who), "append");
        tasks.spawn_now(replace_until_the_cut(disk.path() + "/version", kept), "replace");
        while (kept.records.size() < enough || kept.version_acknowledged * 4 < enough)
            co_await turns(1);
        co_await turns(further_turns);
        // A sync that meets the cut may still be answered with success (the kernel aborts the
        // journal without an error); with the power gone, nobody would be there to be told.
        kept.over = true;
        disk.cut();
    });
}

task<> look(const std::string& folder, const promises& kept) {
    auto log = (co_await file::open(folder + "/log", open_read)).value();
    for (const auto& [offset, record] : kept.records) {
        std::string text(record.size(), '-');
        EXPECT_TRUE(co_await log.read_exactly_at(bytes_in(text), offset));
        EXPECT_TRUE(text == record) << "the record at " << offset << " was acknowledged";
    }
    auto opened = co_await file::open(folder + "/version", open_read);
    std::uint64_t version = 0;
    if (opened) {
        std::string text((co_await opened->status()).value().size, '-');
        EXPECT_TRUE(co_await opened->read_exactly_at(bytes_in(text), 0));
        const auto end = std::from_chars(text.data(), text.data() + text.size(), version);
        EXPECT_TRUE(end.ec == std::errc{} && end.ptr == text.data() + text.size()) << text;
    }
    EXPECT_GE(version, kept.version_acknowledged);
    EXPECT_LE(version, kept.version_begun);
}

}  // namespace

TEST_P(every_driver_and_sim_with_files,
       F10_a_power_cut_under_load_loses_nothing_that_was_acknowledged) {
    with_mortal_disk([&](mortal_disk& disk) {
        for (int round = 0; round < rounds; ++round) {
            promises kept;
            const auto enough = static_cast<std::size_t>(round * 4);
            run([&]() -> task<> { co_await live_and_die(disk, kept, enough, round); });
            disk.restart();
            run([&]() -> task<> { co_await look(disk.path(), kept); });
            run([&]() -> task<> {
                static_cast<void>(co_await remove_file(disk.path() + "/version"));
            });
        }
    });
}

}  // namespace upcall::test
