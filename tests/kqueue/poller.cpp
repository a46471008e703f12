// The kqueue poller over a kqueue made of data: what it hands over, and when. On kqueues that work,
// libkqueue's and the one in on_epoll/, the conformance suite runs the driver.
#include "driver/readiness/kqueue_poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include <upcall/driver/select.hpp>

#include "kqueue/queue_of_data.hpp"

namespace upcall::test {
namespace {

class kqueue_changes : public ::testing::Test {
  protected:
    void SetUp() override {
        data = {};
        ASSERT_EQ(with.open(), 0);
        data.calls.clear();
    }

    /// Numbers stand for sockets, and no call is made on them.
    watch& socket(int number, std::uint64_t key, bool borrowed = false) {
        watch& made = watches.emplace_back();
        made.fd = number;
        made.key = key;
        made.borrowed = borrowed;
        made.is_socket = true;
        EXPECT_EQ(with.add(made), 0);
        return made;
    }

    /// "3r 4w": keys and directions of what a wait that only looks is told.
    std::string told() {
        std::string text;
        for (const poll_event& event : with.wait(time_point{})) {
            if (!text.empty()) text += ' ';
            text += std::to_string(event.key);
            if (event.ready & ready_to_read) text += 'r';
            if (event.ready & ready_to_write) text += 'w';
        }
        return text;
    }

    /// "+40r -40w": the changes of the last call.
    std::string last_changes() const {
        std::string text;
        for (const struct ::kevent& each : data.calls.back().changes) {
            if (!text.empty()) text += ' ';
            text += each.flags & EV_ADD ? '+' : '-';
            text += std::to_string(each.ident);
            text += each.filter == EVFILT_READ ? 'r' : 'w';
        }
        return text;
    }

    queue_of_data& data = queue_of_data::of_this_test();
    kqueue_poller with;
    std::deque<watch> watches;
};

TEST_F(kqueue_changes, go_with_the_call_that_waits) {
    watch& first = socket(40, 1);
    watch& second = socket(41, 2);
    with.arm(first, ready_to_read);
    with.arm(second, ready_to_read | ready_to_write);
    EXPECT_TRUE(data.calls.empty()) << "arming makes no call";
    data.ready = {{41, EVFILT_WRITE}, {40, EVFILT_READ}};
    EXPECT_EQ(told(), "1r 2w");
    ASSERT_EQ(data.calls.size(), 1U);
    EXPECT_EQ(last_changes(), "+40r +41r +41w");
}

TEST_F(kqueue_changes, are_differences_at_the_time_of_the_wait) {
    watch& one = socket(40, 1);
    with.arm(one, ready_to_read);
    told();
    with.arm(one, 0);
    with.arm(one, ready_to_write);
    with.arm(one, ready_to_read);
    told();
    EXPECT_EQ(last_changes(), "") << "read from, answered, and read from again";
    with.arm(one, ready_to_write);
    told();
    EXPECT_EQ(last_changes(), "-40r +40w");
    with.arm(one, 0);
    told();
    EXPECT_EQ(last_changes(), "-40w");
    EXPECT_EQ(data.calls.size(), 4U);
}

TEST_F(kqueue_changes, of_what_is_removed_are_made_at_once) {
    watch& leaving = socket(40, 1);
    with.arm(leaving, ready_to_read);
    told();
    with.arm(leaving, ready_to_read | ready_to_write);
    with.remove(leaving);
    EXPECT_EQ(last_changes(), "-40r") << "the other was not known to the kernel yet";
    EXPECT_FALSE(data.calls.back().may_wait) << "events that it took would be lost";
    watch& newcomer = socket(40, 2);
    data.ready = {{40, EVFILT_READ}};
    EXPECT_EQ(told(), "");
    with.arm(newcomer, ready_to_read);
    EXPECT_EQ(told(), "2r");
}

TEST_F(kqueue_changes, that_fail_are_told_as_ready_and_made_again) {
    watch& one = socket(40, 1);
    data.refused = {{40, ENOMEM}};
    with.arm(one, ready_to_read);
    EXPECT_EQ(told(), "1r") << "the call that follows says what is wrong";
    EXPECT_EQ(told(), "1r");
    data.refused.clear();
    EXPECT_EQ(told(), "");
    EXPECT_EQ(last_changes(), "+40r");
    told();
    EXPECT_EQ(last_changes(), "");
}

TEST_F(kqueue_changes, that_undo_what_is_gone_already_tell_nothing) {
    watch& one = socket(40, 1);
    with.arm(one, ready_to_read);
    told();
    data.close(40);
    with.arm(one, 0);
    EXPECT_EQ(told(), "");
    EXPECT_EQ(last_changes(), "-40r");
}

TEST_F(kqueue_changes, were_made_when_the_wait_was_interrupted) {
    watch& one = socket(40, 1);
    with.arm(one, ready_to_read);
    data.interrupts = true;
    EXPECT_EQ(told(), "");
    data.ready = {{40, EVFILT_READ}};
    EXPECT_EQ(told(), "1r");
    EXPECT_EQ(last_changes(), "");
}

TEST_F(kqueue_changes, that_are_too_many_for_one_call_keep_their_order) {
    constexpr int count = 300;
    for (int number = 0; number < count; ++number)
        with.arm(socket(1000 + number, static_cast<std::uint64_t>(number)), ready_to_read);
    static_cast<void>(with.wait(never));
    EXPECT_TRUE(data.calls.back().only_looks()) << "not before all are handed over";
    EXPECT_EQ(data.calls.back().changes.front().ident, 1000U);
    with.remove(watches[200]);
    while (data.filters.size() < count - 1) {
        const std::size_t before = data.filters.size();
        static_cast<void>(with.wait(never));
        ASSERT_GT(data.filters.size(), before);
        EXPECT_EQ(data.calls.back().only_looks(), data.filters.size() < count - 1);
    }
    EXPECT_FALSE(data.filters.contains({1200, EVFILT_READ}));
}

TEST_F(kqueue_changes, of_borrowed_descriptors_are_made_anew_each_time) {
    watch& foreign = socket(40, 1, true);
    with.arm(foreign, ready_to_read);
    EXPECT_EQ(told(), "");
    data.close(40);  // by its owner, who opens another one of that number
    with.arm(foreign, ready_to_read);
    data.ready = {{40, EVFILT_READ}};
    EXPECT_EQ(told(), "1r");
    data.close(40);
    data.refused = {{40, EBADF}};
    with.arm(foreign, ready_to_read);
    EXPECT_EQ(told(), "1r") << "the call that follows finds that it is closed";
    EXPECT_TRUE(data.calls.back().only_looks());
}

TEST_F(kqueue_changes, are_for_one_watch_of_a_number) {
    watch& one = socket(40, 1);
    watch other;
    other.fd = 40;
    other.is_socket = true;
    EXPECT_EQ(with.add(other), -EEXIST);
    with.remove(one);
    EXPECT_EQ(with.add(other), 0);
    with.remove(other);
}

// A loop that another one turns: between two waits it has the descriptor alone.
TEST_F(kqueue_changes, ask_for_a_wait_while_the_queue_does_not_know_them) {
    EXPECT_GE(with.descriptor(), 0);
    watch& one = socket(40, 1);
    watch& foreign = socket(41, 2, true);
    EXPECT_FALSE(with.has_changes());
    with.arm(one, ready_to_read);
    EXPECT_TRUE(with.has_changes());
    told();
    EXPECT_FALSE(with.has_changes());
    with.arm(one, 0);
    with.arm(one, ready_to_read);
    EXPECT_FALSE(with.has_changes()) << "changed back";
    with.arm(foreign, ready_to_read);
    told();
    EXPECT_FALSE(with.has_changes());
    with.arm(foreign, ready_to_read);
    EXPECT_TRUE(with.has_changes()) << "its filter may be gone";
    told();
    data.refused = {{40, ENOMEM}};
    with.arm(one, ready_to_write);
    EXPECT_EQ(told(), "1w");
    EXPECT_TRUE(with.has_changes()) << "made again";
}

TEST_F(kqueue_changes, wake_once_for_each_wait) {
    with.wake();
    with.wake();
    EXPECT_EQ(data.calls.size(), 1U);
    EXPECT_EQ(told(), "") << "a wake is no event of a descriptor";
    with.wake();
    EXPECT_EQ(data.calls.size(), 3U);
    EXPECT_TRUE(data.triggered);
}

TEST_F(kqueue_changes, are_not_made_for_what_never_blocks) {
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    watch of_file{.fd = file};
    EXPECT_EQ(with.add(of_file), -EPERM);
    EXPECT_TRUE(data.calls.empty()) << "kqueue takes files, and tells where they end";
    ::close(file);
    const int device = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ASSERT_GE(device, 0);
    data.refused = {{static_cast<std::uintptr_t>(device), ENODEV}};
    watch of_device{.fd = device};
    EXPECT_EQ(with.add(of_device), -EPERM);
    data.refused.clear();
    EXPECT_EQ(with.add(of_device), 0);
    EXPECT_EQ(last_changes(), "-" + std::to_string(device) + "r") << "it was only tried";
    with.remove(of_device);
    ::close(device);
}

// Says why, where the driver did not run.
TEST(kqueue_driver, runs_the_conformance_suite_where_libkqueue_is) {
    if (!is_driver_name("kqueue"))
        GTEST_SKIP() << "kqueue did not run but on a queue made of epoll: libkqueue is not there "
                        "(pkg-config knows none)";
    EXPECT_NE(driver_names().front(), "kqueue") << "on Linux it has to be asked for";
}

}  // namespace
}  // namespace upcall::test
