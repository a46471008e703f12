// Readiness of descriptors, our own and other people's.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class polls : public driver_test {
  protected:
    polls() {
        EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC), 0);
        // A high number, which nobody takes when it is free again.
        const int low = std::exchange(pipe_[0], ::fcntl(pipe_[0], F_DUPFD_CLOEXEC, 200));
        ::close(low);
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets_), 0);
    }
    ~polls() override {
        for (const int fd : {pipe_[0], pipe_[1], sockets_[0], sockets_[1]}) ::close(fd);
    }
    handle watch(int fd) { return *via().adopt(fd, handle_kind::foreign); }
    void poll(probe& op, const handle& what, std::uint32_t wanted) {
        op.kind = op_kind::poll;
        op.size = wanted;
        start(op, what);
    }
    std::int64_t poll(const handle& what, std::uint32_t wanted) {
        probe op;
        poll(op, what, wanted);
        return bench.finish(op);
    }

    int pipe_[2]{-1, -1};
    int sockets_[2]{-1, -1};
};
UPCALL_FOR_EVERY_DRIVER(polls);

TEST_P(polls, what_is_so_is_told_at_once) {
    auto reader = watch(pipe_[0]);
    auto writer = watch(pipe_[1]);
    EXPECT_EQ(poll(writer, ready_to_write), ready_to_write);
    ASSERT_EQ(::write(pipe_[1], "x", 1), 1);
    EXPECT_EQ(poll(reader, ready_to_read), ready_to_read);
    EXPECT_EQ(poll(reader, ready_to_read), ready_to_read) << "as long as it is not read";
}

TEST_P(polls, waits_until_it_is_so) {
    auto reader = watch(pipe_[0]);
    for (int round = 0; round < 50; ++round) {
        probe op;
        poll(op, reader, ready_to_read);
        settle();
        EXPECT_FALSE(op.done());
        ASSERT_EQ(::write(pipe_[1], "x", 1), 1);
        EXPECT_EQ(bench.finish(op), ready_to_read);
        char taken = 0;
        ASSERT_EQ(::read(pipe_[0], &taken, 1), 1);
    }
}

TEST_P(polls, both_directions_at_once) {
    auto socket = watch(sockets_[0]);
    EXPECT_EQ(poll(socket, ready_to_read | ready_to_write), ready_to_write);
    probe reading;
    probe any;
    poll(reading, socket, ready_to_read);
    settle();
    EXPECT_FALSE(reading.done());
    ASSERT_EQ(::write(sockets_[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(reading), ready_to_read);
    poll(any, socket, ready_to_read | ready_to_write);
    EXPECT_EQ(bench.finish(any), ready_to_read | ready_to_write);
}

TEST_P(polls, a_hang_up_is_readiness) {
    auto socket = watch(sockets_[0]);
    probe op;
    poll(op, socket, ready_to_read);
    settle();
    ::close(sockets_[1]);
    sockets_[1] = -1;
    EXPECT_EQ(bench.finish(op), ready_to_read);
}

TEST_P(polls, foreign_descriptors_are_neither_changed_nor_closed) {
    {
        auto reader = watch(pipe_[0]);
        EXPECT_EQ(::fcntl(pipe_[0], F_GETFL) & O_NONBLOCK, 0);
        std::byte bytes[1];
        EXPECT_EQ(read(reader, bytes), raw_error(errc::unsupported));
        ASSERT_EQ(::write(pipe_[1], "x", 1), 1);
        EXPECT_EQ(poll(reader, ready_to_read), ready_to_read);
    }
    EXPECT_GE(::fcntl(pipe_[0], F_GETFD), 0);
    auto again = watch(pipe_[0]);
    EXPECT_EQ(*via().release(again), pipe_[0]);
    EXPECT_EQ(::fcntl(pipe_[0], F_GETFL) & O_NONBLOCK, 0);
}

TEST_P(polls, the_same_descriptor_can_be_watched_twice) {
    auto first = watch(pipe_[0]);
    auto second = watch(pipe_[0]);
    probe ops[2];
    poll(ops[0], first, ready_to_read);
    poll(ops[1], second, ready_to_read);
    settle();
    ASSERT_EQ(::write(pipe_[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(ops[0]), ready_to_read);
    EXPECT_EQ(bench.finish(ops[1]), ready_to_read);
    second.close();
    EXPECT_EQ(poll(first, ready_to_read), ready_to_read);
}

TEST_P(polls, several_wait_on_one_handle_and_one_is_cancelled) {
    auto reader = watch(pipe_[0]);
    probe ops[3];
    for (auto& op : ops) poll(op, reader, ready_to_read);
    settle();
    ops[1].request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(ops[1]), -ECANCELED);
    ASSERT_EQ(::write(pipe_[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(ops[0]), ready_to_read);
    EXPECT_EQ(bench.finish(ops[2]), ready_to_read);
}

TEST_P(polls, what_its_owner_has_closed_is_an_error) {
    auto reader = watch(pipe_[0]);
    EXPECT_EQ(::close(pipe_[0]), 0);
    EXPECT_EQ(poll(reader, ready_to_read), -EBADF);
    EXPECT_EQ(bench.close(reader), 0);
    pipe_[0] = -1;
}

TEST_P(polls, closed_under_a_waiting_operation_is_told_or_can_be_cancelled) {
    auto reader = watch(pipe_[0]);
    probe op;
    poll(op, reader, ready_to_read);
    settle();
    EXPECT_EQ(::close(pipe_[0]), 0);
    pipe_[0] = -1;
    settle();
    if (!op.done()) op.request_cancel(cancel_cause::cancelled);
    EXPECT_TRUE(bench.finish(op) == -EBADF || op.result == -ECANCELED) << op.result;
    const std::string_view name = via().name();
    const bool notices = name != "epoll" && name != "kqueue" && name != "blocking";
    EXPECT_TRUE(!notices || op.result == -EBADF) << op.result;
}

TEST_P(polls, a_number_that_was_closed_and_opened_again_is_watched_anew) {
    auto reader = watch(pipe_[0]);
    const int number = pipe_[0];
    int fresh[2];
    ASSERT_EQ(::pipe2(fresh, O_CLOEXEC), 0);
    ASSERT_EQ(::dup2(fresh[0], number), number);
    ::close(fresh[0]);
    probe op;
    poll(op, reader, ready_to_read);
    settle();
    EXPECT_FALSE(op.done());
    ASSERT_EQ(::write(fresh[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(op), ready_to_read);
    ::close(fresh[1]);
}

TEST_P(polls, events_of_a_copy_that_outlives_its_handle_reach_nobody) {
    const int copy = ::dup(pipe_[0]);
    {
        auto reader = watch(pipe_[0]);
        probe op;
        poll(op, reader, ready_to_read);
        settle();
        // Closed behind our back: epoll keeps its entry, for the copy, and nobody can remove it.
        ::close(pipe_[0]);
        settle();
        if (!op.done()) op.request_cancel(cancel_cause::cancelled);
        bench.until([&] { return op.done(); });
    }
    pipe_[0] = copy;
    auto other = watch(sockets_[0]);
    probe op;
    poll(op, other, ready_to_read);
    ASSERT_EQ(::write(pipe_[1], "x", 1), 1);
    settle();
    EXPECT_FALSE(op.done());
    ASSERT_EQ(::write(sockets_[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(op), ready_to_read);
}

// Went wrong: the end of the watch unregistered, by its number, the stream that had that by then.
TEST_P(polls, a_number_that_became_our_own_is_left_alone) {
    for (const bool watched_again : {false, true}) {
        int foreign[2];
        ASSERT_EQ(::pipe2(foreign, O_CLOEXEC), 0);
        const int number = ::fcntl(foreign[0], F_DUPFD_CLOEXEC, 300);
        ::close(foreign[0]);
        auto reader = watch(number);
        probe op;
        poll(op, reader, ready_to_read);
        settle();
        EXPECT_FALSE(op.done());
        ASSERT_EQ(::close(number), 0);
        int pair[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ASSERT_EQ(::dup2(pair[0], number), number);
        ::close(pair[0]);
        auto stream = *via().adopt(number, handle_kind::stream);
        settle();
        if (!op.done()) op.request_cancel(cancel_cause::cancelled);
        bench.finish(op);
        if (watched_again) {
            poll(op, reader, ready_to_read);
            settle();
            EXPECT_FALSE(op.done());
        } else {
            reader.close();
        }
        std::byte room[8];
        probe reading;
        fill(reading, op_kind::read, room);
        start(reading, stream);
        settle();
        ASSERT_EQ(::write(pair[1], "x", 1), 1);
        EXPECT_EQ(bench.finish(reading), 1);
        if (watched_again) {
            ASSERT_EQ(::write(pair[1], "x", 1), 1);
            EXPECT_EQ(bench.finish(op), ready_to_read);
        }
        ::close(pair[1]);
        ::close(foreign[1]);
    }
}

// Went wrong: the second watch went on with what the number had named when it began.
TEST_P(polls, a_number_that_was_opened_again_is_watched_anew_by_all_who_watch_it) {
    auto first = watch(pipe_[0]);
    auto second = watch(pipe_[0]);
    int fresh[2];
    ASSERT_EQ(::pipe2(fresh, O_CLOEXEC), 0);
    ASSERT_EQ(::dup2(fresh[0], pipe_[0]), pipe_[0]);
    ::close(fresh[0]);
    probe ops[2];
    poll(ops[0], first, ready_to_read);
    poll(ops[1], second, ready_to_read);
    settle();
    EXPECT_FALSE(ops[0].done() || ops[1].done());
    ASSERT_EQ(::write(fresh[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(ops[0]), ready_to_read);
    EXPECT_EQ(bench.finish(ops[1]), ready_to_read);
    ::close(fresh[1]);
}

TEST_P(polls, our_own_streams_too) {
    auto [left, right] = *via().open_pair(socket_type::stream);
    probe op;
    poll(op, left, ready_to_read);
    settle();
    EXPECT_FALSE(op.done());
    EXPECT_EQ(write(right, "x"), 1);
    EXPECT_EQ(bench.finish(op), ready_to_read);
    EXPECT_EQ(poll(left, ready_to_write), ready_to_write);
}

TEST_P(polls, regular_files_are_always_ready) {
    const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    auto file = watch(fd);
    EXPECT_EQ(poll(file, ready_to_read), ready_to_read);
    file.close();
    ::close(fd);
}

}  // namespace
}  // namespace upcall::test
