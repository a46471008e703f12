// The sigio poller: signals are hints, and none of them is needed for what is ready to be found.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "driver/readiness/sigio_poller.hpp"
#include "support/child.hpp"

namespace upcall::test {
namespace {

struct watched_pipe {
    watched_pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0); }
    watched_pipe(const watched_pipe&) = delete;
    watched_pipe& operator=(const watched_pipe&) = delete;
    ~watched_pipe() {
        for (const int end : ends) ::close(end);
    }

    void watch_by(poller& with, std::uint64_t key, bool borrowed = false) {
        noted.fd = ends[0];
        noted.key = key;
        noted.borrowed = borrowed;
        EXPECT_EQ(with.add(noted), 0);
        EXPECT_EQ(with.arm(noted, ready_to_read), 0);
    }
    void fill() { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
    void empty() {
        char byte = 0;
        EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    }
    bool sends_signals() const { return ::fcntl(ends[0], F_GETFL) & O_ASYNC; }

    int ends[2] = {-1, -1};
    watch noted;
};

/// Looks, without waiting. Afterwards only signals tell of what was armed before.
std::vector<std::uint64_t> ready_now(poller& with) {
    std::vector<std::uint64_t> keys;
    for (const poll_event& event : with.wait(time_point{})) keys.push_back(event.key);
    return keys;
}

using keys = std::vector<std::uint64_t>;

sigset_t blocked_now() {
    sigset_t now;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
    return now;
}

void no_room_for_signals() {
    const rlimit none{0, 0};
    EXPECT_EQ(::setrlimit(RLIMIT_SIGPENDING, &none), 0);
}

}  // namespace

TEST(signal_driven, a_signal_tells_of_what_became_ready_and_of_nothing_else) {
    sigio_poller with;
    ASSERT_EQ(with.open(), 0);
    watched_pipe first;
    watched_pipe second;
    first.watch_by(with, 1);
    second.watch_by(with, 2);
    EXPECT_EQ(ready_now(with), keys{});
    second.fill();
    EXPECT_EQ(ready_now(with), keys{2});
    EXPECT_EQ(ready_now(with), keys{2}) << "what is ready stays so";
    second.empty();
    EXPECT_EQ(ready_now(with), keys{});
    with.remove(first.noted);
    with.remove(second.noted);
}

TEST(signal_driven, what_was_there_before_it_was_armed_is_seen) {
    sigio_poller with;
    ASSERT_EQ(with.open(), 0);
    watched_pipe early;
    early.fill();
    early.watch_by(with, 7);
    EXPECT_EQ(ready_now(with), keys{7});
    with.arm(early.noted, 0);
    EXPECT_EQ(ready_now(with), keys{});
    with.arm(early.noted, ready_to_read);
    EXPECT_EQ(ready_now(with), keys{7});
    with.remove(early.noted);
}

TEST(signal_driven, a_full_queue_of_signals_loses_nothing) {
    const child_end end = run_in_child([](std::string&) {
        no_room_for_signals();
        sigio_poller with;
        EXPECT_EQ(with.open(), 0);
        watched_pipe first;
        watched_pipe second;
        first.watch_by(with, 1);
        second.watch_by(with, 2);
        EXPECT_EQ(ready_now(with), keys{});
        second.fill();
        EXPECT_EQ(ready_now(with), keys{2});
        first.fill();
        EXPECT_EQ(ready_now(with).size(), 2U);
        with.remove(first.noted);
        with.remove(second.noted);
        return ::testing::Test::HasFailure() ? 1 : 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
}

TEST(signal_driven, a_full_queue_is_told_to_every_poller_of_the_thread) {
    const child_end end = run_in_child([](std::string&) {
        no_room_for_signals();
        sigio_poller one;
        sigio_poller other;
        EXPECT_EQ(one.open(), 0);
        EXPECT_EQ(other.open(), 0);
        watched_pipe first;
        watched_pipe second;
        first.watch_by(one, 1);
        second.watch_by(other, 2);
        EXPECT_EQ(ready_now(one), keys{});
        EXPECT_EQ(ready_now(other), keys{});
        second.fill();
        // SIGIO does not say whose it is: this one takes it.
        EXPECT_EQ(ready_now(one), keys{});
        EXPECT_EQ(ready_now(other), keys{2});
        one.remove(first.noted);
        other.remove(second.noted);
        return ::testing::Test::HasFailure() ? 1 : 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
}

TEST(signal_driven, a_signal_for_the_one_that_had_the_number_before_reaches_nobody) {
    sigio_poller with;
    ASSERT_EQ(with.open(), 0);
    watched_pipe quiet;
    watched_pipe leaving;
    leaving.watch_by(with, 1);
    EXPECT_EQ(ready_now(with), keys{});
    leaving.fill();  // its signal waits
    with.remove(leaving.noted);
    ASSERT_EQ(::dup3(quiet.ends[0], leaving.ends[0], O_CLOEXEC), leaving.ends[0]);
    watch newcomer{.fd = leaving.ends[0], .key = 2};
    ASSERT_EQ(with.add(newcomer), 0);
    with.arm(newcomer, ready_to_read);
    EXPECT_EQ(ready_now(with), keys{});
    quiet.fill();
    EXPECT_EQ(ready_now(with), keys{2});
    with.remove(newcomer);
}

TEST(signal_driven, what_is_not_ours_is_left_as_it_was) {
    sigio_poller with;
    ASSERT_EQ(with.open(), 0);
    watched_pipe ours;
    watched_pipe foreign;
    ours.watch_by(with, 1);
    foreign.watch_by(with, 2, true);
    EXPECT_TRUE(ours.sends_signals());
    EXPECT_FALSE(foreign.sends_signals());
    EXPECT_EQ(ready_now(with), keys{});
    foreign.fill();
    EXPECT_EQ(ready_now(with), keys{2});
    with.remove(ours.noted);
    with.remove(foreign.noted);
    EXPECT_FALSE(ours.sends_signals());
}

TEST(signal_driven, what_sends_no_signals_is_looked_at_in_every_wait) {
    sigio_poller with;
    ASSERT_EQ(with.open(), 0);
    const int counter = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch noted{.fd = counter, .key = 3};
    ASSERT_EQ(with.add(noted), 0);
    EXPECT_FALSE(noted.by_signal);
    with.arm(noted, ready_to_read);
    EXPECT_EQ(ready_now(with), keys{});
    ASSERT_EQ(::eventfd_write(counter, 1), 0);
    EXPECT_EQ(ready_now(with), keys{3});
    with.remove(noted);
    ::close(counter);
}

TEST(signal_driven, copies_of_one_open_file_are_both_told) {
    sigio_poller with;
    ASSERT_EQ(with.open(), 0);
    watched_pipe shared;
    shared.watch_by(with, 1);
    watch copy{.fd = ::dup(shared.ends[0]), .key = 2};
    ASSERT_EQ(with.add(copy), 0);
    with.arm(copy, ready_to_read);
    EXPECT_EQ(ready_now(with), keys{});
    shared.fill();
    EXPECT_EQ(ready_now(with).size(), 2U);
    with.remove(shared.noted);
    with.remove(copy);
    ::close(copy.fd);
}

TEST(signal_driven, signals_that_nobody_read_do_not_outlive_their_poller) {
    const sigset_t before = blocked_now();
    {
        sigio_poller with;
        ASSERT_EQ(with.open(), 0);
        watched_pipe last;
        last.watch_by(with, 1);
        last.fill();
        with.remove(last.noted);
        const sigset_t now = blocked_now();
        EXPECT_EQ(sigismember(&now, SIGIO), 1);
    }
    // Delivered now, they would have ended this program.
    const sigset_t after = blocked_now();
    for (int number = 1; number <= SIGRTMAX; ++number)
        EXPECT_EQ(sigismember(&after, number), sigismember(&before, number)) << number;
}

TEST(signal_driven, a_signal_that_the_program_uses_is_passed_over) {
    struct sigaction ignored{};
    struct sigaction before{};
    ignored.sa_handler = SIG_IGN;
    int taken = 0;
    {
        thread_signal first;
        ASSERT_EQ(first.claim(), 0);
        taken = first.number();
        thread_signal second;
        ASSERT_EQ(second.claim(), 0);
        EXPECT_NE(second.number(), taken);
    }
    ASSERT_EQ(::sigaction(taken, &ignored, &before), 0);
    {
        thread_signal other;
        ASSERT_EQ(other.claim(), 0);
        EXPECT_NE(other.number(), taken);
    }
    ::sigaction(taken, &before, nullptr);
}

}  // namespace upcall::test
