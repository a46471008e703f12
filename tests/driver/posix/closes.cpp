// Closing ends what is in flight, then gives the descriptor back; what comes too late, or is meant
// for an earlier owner of the number, reaches nobody.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class closes : public driver_test {
  protected:
    std::byte bytes_[64]{};
};
UPCALL_FOR_EVERY_DRIVER(closes);

TEST_P(closes, everything_in_flight_ends_first) {
    auto [client, server] = bench.connected();
    probe reads[3];
    for (auto& op : reads) {
        fill(op, op_kind::read, bytes_);
        start(op, server);
    }
    probe polling;
    polling.kind = op_kind::poll;
    polling.size = ready_to_read;
    start(polling, server);
    settle();
    int ended = 0;
    for (auto& op : reads) op.then = [&] { ++ended; };
    EXPECT_EQ(bench.close(server), 0);
    for (auto& op : reads) {
        EXPECT_EQ(bench.finish(op), -ECANCELED);
        EXPECT_EQ(op.error(), errc::closed);
    }
    EXPECT_EQ(bench.finish(polling), -ECANCELED);
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(read(client, bytes_), 0) << "the peer sees the end";
}

TEST_P(closes, a_closing_handle_takes_no_operation) {
    auto [client, server] = bench.connected();
    probe op;
    fill(op, op_kind::read, bytes_);
    start(op, server);
    handle_record* record = server.record();
    record->in_flight += 1;  // keeps the record for a moment
    server.close();
    probe late;
    fill(late, op_kind::read, bytes_);
    start(late, record);
    EXPECT_TRUE(late.at_once);
    EXPECT_EQ(bench.finish(late), raw_error(errc::closed));
    EXPECT_EQ(bench.finish(op), -ECANCELED);
    // The record is given up by an operation that takes the place of the borrowed count.
    record->in_flight -= 1;
    record->closing = false;
    via().close(*record);
}

TEST_P(closes, an_old_operation_never_touches_the_next_owner_of_the_number) {
    for (int round = 0; round < 200; ++round) {
        auto [client, server] = bench.connected();
        const auto number = server.record()->native;
        probe old;
        fill(old, op_kind::read, bytes_);
        start(old, server);
        if (round % 2) bench.turn();
        EXPECT_EQ(write(client, "old"), 3);
        server.close();
        bench.until([&] { return old.done(); });
        auto [left, right] = *via().open_pair(socket_type::stream);
        handle& reuses = left.record()->native == number ? left : right;
        handle& other = left.record()->native == number ? right : left;
        EXPECT_EQ(reuses.record()->native, number);
        EXPECT_EQ(write(other, "new"), 3);
        settle();
        EXPECT_EQ(read(reuses, bytes_), 3);
        EXPECT_EQ(text_of({bytes_, 3}), "new");
    }
}

TEST_P(closes, events_for_a_closed_handle_in_the_same_batch_reach_nobody) {
    // Both have an event when the first poll looks; one is gone by then, its place taken.
    for (int round = 0; round < 50; ++round) {
        std::pair<handle, handle> pairs[4];
        probe ops[4];
        for (int at = 0; at < 4; ++at) {
            pairs[at] = *via().open_pair(socket_type::stream);
            fill(ops[at], op_kind::read, {bytes_ + at, 1});
            start(ops[at], pairs[at].second);
        }
        settle();
        for (auto& pair : pairs) EXPECT_EQ(write(pair.first, "x"), 1);
        pairs[1].second.close();
        auto fresh = *via().open_pair(socket_type::stream);
        probe waits;
        fill(waits, op_kind::read, {bytes_ + 10, 1});
        start(waits, fresh.second);
        for (const int at : {0, 2, 3}) EXPECT_EQ(bench.finish(ops[at]), 1);
        EXPECT_TRUE(bench.finish(ops[1]) == 1 || ops[1].result == -ECANCELED);
        EXPECT_FALSE(waits.done());
        EXPECT_EQ(write(fresh.first, "y"), 1);
        EXPECT_EQ(bench.finish(waits), 1);
    }
}

TEST_P(closes, many_times_keeps_descriptors_and_numbers_flat) {
    const int before = ::dup(0);
    ::close(before);
    for (int round = 0; round < 2000; ++round) {
        auto [left, right] = *via().open_pair(socket_type::stream);
        if (round % 4 == 0) {
            EXPECT_EQ(write(left, "x"), 1);
            EXPECT_EQ(read(right, bytes_), 1);
        }
    }
    const int after = ::dup(0);
    ::close(after);
    // The blocking driver's threads keep a descriptor each.
    EXPECT_LE(after, before + (via().name() == "blocking" ? 8 : 0));
}

TEST_P(closes, release_is_refused_with_operations_in_flight) {
    auto [client, server] = bench.connected();
    probe op;
    fill(op, op_kind::read, bytes_);
    start(op, server);
    EXPECT_EQ(via().release(server).error(), std::errc::device_or_resource_busy);
    EXPECT_TRUE(server);
    EXPECT_EQ(write(client, "x"), 1);
    EXPECT_EQ(bench.finish(op), 1);
    auto released = via().release(server);
    ASSERT_TRUE(released);
    EXPECT_EQ(::send(static_cast<int>(*released), "y", 1, MSG_NOSIGNAL), 1);
    EXPECT_EQ(read(client, bytes_), 1);
    ::close(static_cast<int>(*released));
}

TEST_P(closes, what_was_released_can_be_adopted_again) {
    auto [left, right] = *via().open_pair(socket_type::stream);
    for (int round = 0; round < 5; ++round) {
        const auto native = via().release(left);
        ASSERT_TRUE(native);
        EXPECT_FALSE(::fcntl(static_cast<int>(*native), F_GETFL) & O_NONBLOCK);
        left = *via().adopt(*native, handle_kind::stream);
        EXPECT_EQ(write(right, "x"), 1);
        EXPECT_EQ(read(left, bytes_), 1);
    }
}

TEST_P(closes, a_descriptor_that_was_not_blocking_comes_back_so) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    auto adopted = *via().adopt(fds[0], handle_kind::stream);
    EXPECT_EQ(*via().release(adopted), fds[0]);
    EXPECT_TRUE(::fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    ::close(fds[0]);
    ::close(fds[1]);
    EXPECT_EQ(via().adopt(fds[0], handle_kind::stream).error(), std::errc::bad_file_descriptor);
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

// What the program was started with is its parent's business.
const std::vector<bool> open_at_start = [] {
    std::vector<bool> open(1024);
    for (int fd = 0; fd < 1024; ++fd) open[static_cast<std::size_t>(fd)] = is_open(fd);
    return open;
}();

TEST_P(closes, all_that_is_opened_here_is_close_on_exec) {
    auto [left, right] = *via().open_pair(socket_type::stream);
    auto [reader, writer] = *via().open_pipe();
    auto socket = *via().open_socket(address_family::ipv6, socket_type::stream);
    for (const handle* one : {&left, &right, &reader, &writer, &socket})
        EXPECT_TRUE(::fcntl(static_cast<int>(one->record()->native), F_GETFD) & FD_CLOEXEC);
    EXPECT_EQ(write(writer, "x"), 1);
    EXPECT_EQ(read(reader, bytes_), 1);
    for (int fd = 0; fd < 1024; ++fd) {
        if (open_at_start[static_cast<std::size_t>(fd)] || !is_open(fd)) continue;
        EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << fd;
    }
}

}  // namespace
}  // namespace upcall::test
