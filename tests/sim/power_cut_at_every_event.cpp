// Power cut at every outcome of the paths that promise durability: appending, rotating a log and
// replacing a file. Nothing that was acknowledged may be missing afterwards, and a file is one of
// its versions, whole.
#include "sim_test.hpp"

namespace upcall::sim {
namespace {

constexpr std::uint64_t worlds = 6;
constexpr int rotations = 3;
constexpr int records_per_log = 6;
constexpr int versions = 6;

struct promises {
    struct record {
        int log;
        std::uint64_t offset;
        std::string text;
    };
    std::vector<record> records;
    int rotated = 0;  // logs that were put aside for good
    int version_begun = 0;
    int version_acknowledged = 0;
    std::string wrong;

    void expect(bool holds, const std::string& why) {
        if (!holds && wrong.empty()) wrong = why;
    }
};

std::string name_of(int log) { return "/log." + std::to_string(log); }

/// Long enough to lie in several sectors.
std::string text_of_version(int version) {
    return std::string(static_cast<std::size_t>(700 * version), static_cast<char>('a' + version));
}

task<bool> sync_names() {
    auto folder = co_await file::open("/", open_read | open_directory);
    if (!folder) co_return false;
    const auto synced = co_await folder->sync();
    co_return synced.has_value();
}

task<> append_some(ordered_writer& log, promises& kept, int number, int who) {
    for (int count = 0; count < records_per_log; ++count) {
        const std::string text =
            std::to_string(who) + std::string(300, static_cast<char>('0' + count));
        const auto added = co_await log.commit(bytes_of(text));
        if (!added) co_return;
        kept.records.push_back({number, added.offset, text});
    }
}

/// Fills the current log, puts it aside under a name of its own, and goes on with a new one.
task<> append_and_rotate(promises& kept) {
    for (int number = 1; number <= rotations; ++number) {
        auto opened = co_await ordered_writer::open("/log", {.way = sync_way::sync_after});
        if (!opened) co_return;
        ordered_writer log = std::move(*opened);
        co_await when_all(append_some(log, kept, number, 1), append_some(log, kept, number, 2));
        const auto closed = co_await log.close();
        if (!closed) co_return;
        const auto renamed = co_await upcall::rename("/log", name_of(number));
        if (!renamed) co_return;
        const bool synced = co_await sync_names();
        if (!synced) co_return;
        kept.rotated = number;
    }
}

task<> replace_some(promises& kept) {
    while (kept.version_begun < versions) {
        const std::string text = text_of_version(++kept.version_begun);
        const auto done = co_await atomic_replace("/version", bytes_of(text));
        if (!done) co_return;
        kept.version_acknowledged = kept.version_begun;
    }
}

/// All of a file; none if there is none.
task<std::optional<std::string>> content(std::string name) {
    auto from = co_await file::open(std::move(name), open_read);
    if (!from) co_return std::nullopt;
    const auto about = co_await from->status();
    std::string text(about.value().size, '\0');
    const auto got = co_await from->read_exactly_at(
        std::as_writable_bytes(std::span(text.data(), text.size())), 0);
    if (!got) co_return std::nullopt;
    co_return text;
}

task<> look(promises& kept) {
    const auto current = co_await content("/log");
    std::vector<std::optional<std::string>> aside(rotations + 1);
    for (int number = 1; number <= rotations; ++number)
        aside[static_cast<std::size_t>(number)] = co_await content(name_of(number));
    for (int number = 1; number <= kept.rotated; ++number)
        kept.expect(aside[static_cast<std::size_t>(number)].has_value(),
                    "a log that was put aside is gone");
    for (const auto& record : kept.records) {
        // Between the rename and the sync of the directory it has one of the two names.
        const auto& named = aside[static_cast<std::size_t>(record.log)];
        const auto& in = named ? named : current;
        kept.expect(in && in->size() >= record.offset + record.text.size() &&
                        in->compare(record.offset, record.text.size(), record.text) == 0,
                    "a record that was acknowledged is gone");
    }
    const auto version = co_await content("/version");
    bool known = !version && kept.version_acknowledged == 0;
    for (int at = kept.version_acknowledged; at <= kept.version_begun; ++at)
        known = known || (version && at > 0 && *version == text_of_version(at));
    kept.expect(known, "the file is none of the versions that it may be");
}

/// One life with a cut at outcome `cut`, and a look at what is left. How many outcomes the first
/// life had if it was not cut.
std::optional<std::uint64_t> live_once(std::uint64_t seed, std::uint64_t cut, promises& kept) {
    world_options options;
    options.kernel.seed = seed;
    options.kernel.faults.short_file_write = seed % 2 == 0 ? 300'000 : 0;
    world w(options);
    w.host("one", [&]() -> task<> {
        if (w.starts_of("one") == 1) {
            co_await when_all(append_and_rotate(kept), replace_some(kept));
        } else {
            co_await look(kept);
        }
    });
    w.fail_power_at("one", cut);
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    if (!kept.wrong.empty()) {
        ADD_FAILURE() << "seed " << seed << ", cut at outcome " << cut << ": " << kept.wrong << '\n'
                      << seen.text();
    }
    if (w.starts_of("one") == 2) return std::nullopt;
    return w.outcomes_of("one");
}

TEST(sim_power_cut, at_any_event_loses_nothing_that_was_acknowledged) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        std::optional<std::uint64_t> whole;
        std::uint64_t cut = 0;
        std::size_t most_records = 0;
        while (!whole) {
            promises kept;
            whole = live_once(seed, ++cut, kept);
            if (HasFailure()) return;
            most_records = std::max(most_records, kept.records.size());
            if (!whole) continue;
            EXPECT_EQ(kept.records.size(), std::size_t{2 * records_per_log * rotations});
            EXPECT_EQ(kept.rotated, rotations);
            EXPECT_EQ(kept.version_acknowledged, versions);
        }
        EXPECT_EQ(*whole + 1, cut) << "every outcome was cut at once";
        EXPECT_GT(cut, 100U);
        EXPECT_EQ(most_records, std::size_t{2 * records_per_log * rotations});
    }
}

// The same look at programs that leave out a step finds them out.
TEST(sim_power_cut, finds_a_log_that_is_put_aside_without_a_sync) {
    bool found = false;
    for (std::uint64_t cut = 1; cut < 200 && !found; ++cut) {
        promises kept;
        world w(1);
        w.host("one", [&]() -> task<> {
            if (w.starts_of("one") == 2) {
                co_await look(kept);
                co_return;
            }
            auto log = (co_await file::open("/log", open_write | open_create)).value();
            for (int count = 0; count < 20; ++count) {
                const std::string text(300, static_cast<char>('a' + count));
                const auto wrote =
                    co_await log.write_all_at(bytes_of(text), 300U * static_cast<unsigned>(count));
                if (!wrote) co_return;
                kept.records.push_back({1, 300U * static_cast<unsigned>(count), text});
            }
        });
        w.fail_power_at("one", cut);
        EXPECT_TRUE(w.run().ok());
        found = !kept.wrong.empty();
    }
    EXPECT_TRUE(found);
}

}  // namespace
}  // namespace upcall::sim
