#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

tcp::stream adopt_device(int fd) {
    checked(fd, "opening a device");
    return tcp::stream::adopt(fd).value();
}

}  // namespace

TEST_P(every_form, C25_character_devices_are_read_and_written) {
    run([&]() -> task<> {
        auto zero = adopt_device(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
        std::string room(100'000, 'x');
        EXPECT_TRUE(co_await zero.read_exactly(bytes_in(room)));
        EXPECT_TRUE(room == std::string(room.size(), '\0'));
        auto full = adopt_device(::open("/dev/full", O_WRONLY | O_CLOEXEC));
        auto wrote = co_await full.write_all(bytes_of("no room"));
        EXPECT_EQ(wrote.cause, std::errc::no_space_on_device);
        EXPECT_EQ(wrote.bytes, 0U);
        auto null = adopt_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
        EXPECT_TRUE(co_await null.write_all(bytes_of("gone")));
        EXPECT_EQ((co_await null.read(bytes_in(room))).error(), errc::end_of_stream);
    });
}

TEST_P(every_form, C25_descriptors_that_count_or_report_are_read_when_they_have_something) {
    run([&]() -> task<> {
        std::uint64_t number = 0;
        const auto room = std::as_writable_bytes(std::span(&number, 1));
        raw_fd counter(::eventfd(0, EFD_CLOEXEC));
        raw_fd same(::fcntl(counter.get(), F_DUPFD_CLOEXEC, 0));
        auto events = adopt_device(counter.release());
        running waiting(home(), events.read(room));
        co_await turns(2);
        EXPECT_FALSE(waiting.done());
        const std::uint64_t five = 5;
        EXPECT_EQ(::write(same.get(), &five, sizeof five), 8);
        co_await waiting.ended();
        EXPECT_EQ(waiting.outcome().value_or(0), 8U);
        EXPECT_EQ(number, 5U);

        raw_fd clock(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
        const itimerspec soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1'000'000}};
        EXPECT_EQ(::timerfd_settime(clock.get(), 0, &soon, nullptr), 0);
        auto ticks = adopt_device(clock.release());
        EXPECT_EQ((co_await ticks.read(room)).value_or(0), 8U);
        EXPECT_EQ(number, 1U);

        raw_fd watcher(::inotify_init1(IN_CLOEXEC));
        EXPECT_GE(::inotify_add_watch(watcher.get(), scratch("").c_str(), IN_CREATE), 0);
        auto changes = adopt_device(watcher.release());
        std::byte too_small[4];
        running refused(home(), changes.read(too_small));
        co_await turns(1);
        EXPECT_TRUE(co_await file::open(scratch("new"), open_write | open_create));
        co_await refused.ended();
        EXPECT_EQ(refused.outcome().error(), std::errc::invalid_argument);
        std::byte enough[512];
        EXPECT_GT((co_await changes.read(enough)).value_or(0), 0U);
    });
}

}  // namespace upcall::test
