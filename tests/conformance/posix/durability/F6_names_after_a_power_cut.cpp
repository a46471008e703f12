#include "conformance/fixture.hpp"
#include "conformance/posix/power_cut.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

task<std::string> all_of(std::string name) {
    auto from = co_await file::open(std::move(name), open_read);
    if (!from) co_return "(none)";
    const auto about = (co_await from->status()).value();
    std::string text(about.size, '-');
    EXPECT_TRUE(co_await from->read_exactly_at(bytes_in(text), 0));
    co_return text;
}

}  // namespace

TEST_P(every_driver_and_sim_with_files, F6_new_and_replaced_files_are_there_after_a_power_cut) {
    with_mortal_disk([&](mortal_disk& disk) {
        const std::string folder = disk.path();
        run([&]() -> task<> {
            EXPECT_TRUE(co_await atomic_replace(folder + "/made", bytes_of("new")));
            EXPECT_TRUE(co_await atomic_replace(folder + "/twice", bytes_of("old")));
            EXPECT_TRUE(co_await atomic_replace(folder + "/twice", bytes_of("new")));
            auto log = co_await ordered_writer::open(folder + "/log");
            EXPECT_TRUE(log);
            // Beside them, to see that the power is really cut: nobody syncs this one.
            auto plain = (co_await file::open(folder + "/plain", open_write | open_create)).value();
            EXPECT_TRUE(co_await plain.write_all_at(bytes_of("lost"), 0));
            disk.cut();
        });
        disk.restart();
        run([&]() -> task<> {
            EXPECT_EQ(co_await all_of(folder + "/made"), "new");
            EXPECT_EQ(co_await all_of(folder + "/twice"), "new");
            EXPECT_EQ(co_await all_of(folder + "/log"), "") << "its name was made durable";
            // A simulated disk may have got what nobody synced; which, is drawn.
            const std::string plain = co_await all_of(folder + "/plain");
            EXPECT_TRUE(GetParam().simulated || plain == "(none)") << plain;
        });
    });
}

TEST_P(every_driver_and_sim_with_files, F8_a_durable_write_is_there_after_a_power_cut) {
    with_mortal_disk([&](mortal_disk& disk) {
        const std::string name = disk.path() + "/data";
        run([&]() -> task<> {
            auto plain = (co_await file::open(name, open_write | open_create)).value();
            EXPECT_TRUE(co_await plain.write_all_at(bytes_of("old, old"), 0));
            EXPECT_TRUE(co_await plain.sync());
            auto folder =
                (co_await file::open(disk.path() + "/", open_read | open_directory)).value();
            EXPECT_TRUE(co_await folder.sync());
            auto durable = (co_await file::open(name, open_write | open_durable)).value();
            EXPECT_TRUE(co_await durable.write_all_at(bytes_of("new"), 0));
            // In a page of its own: the first one was written as a whole.
            EXPECT_TRUE(co_await plain.write_all_at(bytes_of("lost"), 8192));
            disk.cut();
        });
        disk.restart();
        run([&]() -> task<> {
            const std::string text = co_await all_of(name);
            EXPECT_EQ(text.substr(0, 8), "new, old");
            EXPECT_TRUE(GetParam().simulated || text.size() == 8) << text.size();
        });
    });
}

}  // namespace upcall::test
