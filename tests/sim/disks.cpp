// What is left of files when the power fails: all that was synced, and of the rest anything.
#include <functional>
#include <set>

#include "sim_test.hpp"

namespace upcall::sim {
namespace {

using body = std::function<task<>()>;

/// Runs `first`, lets the power fail when it has ended, and runs `second` on what is left.
report two_lives(world& w, const body& first, const body& second) {
    w.host("one", [&]() -> task<> {
        if (w.starts_of("one") == 2) co_return co_await second();
        co_await first();
        w.at(w.elapsed(), [&] { w.restart("one"); });
        w.fail_power("one");
        co_await sleep(1s);
    });
    return w.run();
}

task<file> opened(const char* path, std::uint32_t how = open_read | open_write | open_create) {
    auto found = co_await file::open(path, how);
    co_return std::move(found).value();
}

task<> put(file& to, const std::string& text, std::uint64_t at = 0) {
    const transfer done = co_await to.write_all_at(bytes_of(text), at);
    EXPECT_TRUE(done);
}

task<> sync(file& of) {
    const auto done = co_await of.sync();
    EXPECT_TRUE(done);
}

task<> sync_directory(const char* path = "/") {
    file directory = co_await opened(path, open_read | open_directory);
    co_await sync(directory);
}

/// "-" when there is no such file.
task<std::string> content_of(const char* path) {
    auto found = co_await file::open(path, open_read);
    if (!found) co_return "-";
    const auto known = co_await found->status();
    std::string text(known.value().size, '?');
    const auto got =
        co_await found->read_at({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0);
    text.resize(got.value());
    co_return text;
}

/// Every content that some seed leaves of `path` after `first`.
std::set<std::string> contents(const char* path, const body& first, const world_options& how = {},
                               std::uint64_t seeds = 200) {
    std::set<std::string> seen;
    const survey tried = try_seeds(
        [&](world& w) {
            std::string found;
            report run =
                two_lives(w, first, [&]() -> task<> { found = co_await content_of(path); });
            seen.insert(found);
            return run;
        },
        {.count = seeds, .world = how});
    EXPECT_FALSE(tried.failure) << tried.failure->text();
    return seen;
}

const std::string two_pages(8192, 'a');

task<> make_synced(const char* path, std::string text) {
    file made = co_await opened(path);
    co_await put(made, text);
    co_await sync(made);
    co_await sync_directory();
}

TEST(sim_disks, keep_what_was_synced) {
    const auto seen = contents("/data", [] { return make_synced("/data", two_pages); });
    EXPECT_EQ(seen, std::set<std::string>{two_pages});
}

TEST(sim_disks, keep_any_of_the_sectors_that_were_not) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", two_pages);
        file data = co_await opened("/data");
        co_await put(data, std::string(8192, 'b'));
    });
    bool torn = false;
    for (const std::string& one : seen) {
        ASSERT_EQ(one.size(), two_pages.size());
        for (std::size_t at = 0; at < one.size(); at += 512) {
            const std::string sector = one.substr(at, 512);
            EXPECT_TRUE(sector == std::string(512, 'a') || sector == std::string(512, 'b'));
        }
        torn = torn || (one.contains('a') && one.contains('b'));
    }
    EXPECT_TRUE(seen.contains(two_pages));
    EXPECT_TRUE(seen.contains(std::string(8192, 'b')));
    EXPECT_TRUE(torn);
}

TEST(sim_disks, may_have_written_what_was_there_in_between) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", "1");
        file data = co_await opened("/data");
        co_await put(data, "2");
        co_await put(data, "3");
    });
    EXPECT_EQ(seen, (std::set<std::string>{"1", "2", "3"}));
}

TEST(sim_disks, may_keep_a_size_without_the_data) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", "");
        file data = co_await opened("/data");
        co_await put(data, "text");
    });
    EXPECT_EQ(seen, (std::set<std::string>{"", "text", std::string(4, '\0')}));
}

TEST(sim_disks, may_have_missed_that_a_file_was_cut) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", two_pages);
        file data = co_await opened("/data");
        const auto cut = co_await data.truncate(100);
        EXPECT_TRUE(cut);
    });
    EXPECT_TRUE(seen.contains(two_pages));
    EXPECT_TRUE(seen.contains(std::string(100, 'a')));
}

TEST(sim_disks, keep_names_when_the_directory_was_synced) {
    const auto without = contents("/data", []() -> task<> {
        file data = co_await opened("/data");
        co_await put(data, "text");
        co_await sync(data);
    });
    EXPECT_EQ(without, (std::set<std::string>{"-", "text"}));
    const auto inside = contents("/folder/data", []() -> task<> {
        const auto made = co_await make_directory("/folder");
        EXPECT_TRUE(made);
        co_await make_synced("/folder/data", "text");
        co_await sync_directory("/folder");
    });
    EXPECT_EQ(inside, std::set<std::string>{"text"});
    const auto other = contents("/folder/data", []() -> task<> {
        const auto made = co_await make_directory("/folder");
        EXPECT_TRUE(made);
        co_await make_synced("/folder/data", "text");
    });
    EXPECT_EQ(other, (std::set<std::string>{"-", "text"})) << "the wrong directory was synced";
}

TEST(sim_disks, replace_a_file_whole_or_not) {
    const auto replace = [](bool synced) -> task<> {
        co_await make_synced("/data", "old");
        co_await make_synced("/new", "new");
        const auto done = co_await rename("/new", "/data");
        EXPECT_TRUE(done);
        if (synced) co_await sync_directory();
    };
    EXPECT_EQ(contents("/data", [&] { return replace(false); }),
              (std::set<std::string>{"old", "new"}));
    EXPECT_EQ(contents("/data", [&] { return replace(true); }), std::set<std::string>{"new"});
}

TEST(sim_disks, may_keep_a_new_name_without_the_data) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", "old");
        file made = co_await opened("/new");
        co_await put(made, "new");
        const auto done = co_await rename("/new", "/data");
        EXPECT_TRUE(done);
        co_await sync_directory();
    });
    EXPECT_EQ(seen, (std::set<std::string>{"", "new", std::string(3, '\0')}));
}

TEST(sim_disks, may_bring_back_what_was_removed) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", "text");
        const auto done = co_await remove_file("/data");
        EXPECT_TRUE(done);
    });
    EXPECT_EQ(seen, (std::set<std::string>{"-", "text"}));
}

TEST(sim_disks, keep_what_was_written_durably) {
    const auto seen = contents("/data", []() -> task<> {
        co_await make_synced("/data", two_pages);
        file data = co_await opened("/data", open_write | open_durable);
        co_await put(data, std::string(600, 'b'), 4000);
    });
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen.begin()->substr(4000, 601), std::string(600, 'b') + "a");
}

TEST(sim_disks, a_sync_that_failed_proves_nothing_when_it_is_repeated) {
    world_options options;
    options.kernel.faults.failed_sync = 500'000;
    int repeated = 0;
    const auto seen = contents(
        "/data",
        [&]() -> task<> {
            file data = co_await opened("/data");
            co_await put(data, "text");
            const auto first = co_await data.sync();
            const auto second = co_await data.sync();
            const auto third = co_await data.sync();
            repeated += !first && (second || third);
            const std::string cached = co_await content_of("/data");
            EXPECT_EQ(cached, "text") << "the cache still has it";
            file directory = co_await opened("/", open_read | open_directory);
            for (auto done = co_await directory.sync(); !done;) done = co_await directory.sync();
        },
        options);
    EXPECT_GT(repeated, 0);
    EXPECT_TRUE(seen.contains(std::string(4, '\0'))) << "claimed durable, and lost";
    EXPECT_TRUE(seen.contains("text"));
}

TEST(sim_disks, misdirect_writes_when_asked_to) {
    world_options options;
    options.kernel.faults.misdirected_write = 1'000'000;
    const auto seen = contents(
        "/data",
        []() -> task<> {
            file data = co_await opened("/data");
            co_await put(data, std::string(4096, 'a') + std::string(4096, 'b'));
            co_await sync(data);
            co_await sync_directory();
            const std::string cached = co_await content_of("/data");
            EXPECT_EQ(cached, std::string(4096, 'a') + std::string(4096, 'b'));
        },
        options);
    EXPECT_TRUE(seen.contains(std::string(4096, '\0') + std::string(4096, 'a')));
}

TEST(sim_disks, lose_nothing_when_only_the_program_dies) {
    world w(7);
    std::string found;
    w.host("one", [&]() -> task<> {
        if (w.starts_of("one") == 2) {
            found = co_await content_of("/data");
            co_return;
        }
        file data = co_await opened("/data");
        co_await put(data, "text");
        w.at(w.elapsed(), [&] { w.restart("one"); });
        w.kill("one");
        co_await sleep(1s);
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(found, "text");
}

TEST(sim_disks, fill_up_and_slow_down_when_asked_to) {
    world_options options;
    options.kernel.faults.no_space = 500'000;
    options.kernel.faults.slow_file = 500'000;
    int full = 0;
    const survey seen = try_seeds(
        [&](world& w) {
            w.host("one", [&]() -> task<> {
                file data = co_await opened("/data");
                const auto wrote = co_await data.write_at(bytes_of("text"), 0);
                if (!wrote) {
                    EXPECT_EQ(wrote.error(), std::errc::no_space_on_device);
                    ++full;
                }
            });
            report run = w.run();
            if (run.time > 10s) run.expect(run.time < 2min, "too slow");
            return run;
        },
        {.count = 50, .world = options, .twice = false});
    EXPECT_FALSE(seen.failure) << seen.failure->text();
    EXPECT_GT(full, 10);
    EXPECT_LT(full, 40);
}

// A file that was removed keeps its room until the disk knows, which it learns when room is short.
TEST(sim_disks, give_the_room_of_removed_files_back) {
    world_options options;
    options.kernel.disk_bytes = 100 * 4096;
    world w(options);
    w.host("one", []() -> task<> {
        for (int round = 0; round < 20; ++round) {
            {
                file data = co_await opened("/data");
                co_await put(data, std::string(60 * 4096, 'x'));
            }
            const auto gone = co_await remove_file("/data");
            EXPECT_TRUE(gone);
        }
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
}

}  // namespace
}  // namespace upcall::sim
