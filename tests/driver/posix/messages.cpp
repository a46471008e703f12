// Datagrams keep their boundaries and say what was cut; descriptors travel without getting lost.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

/// Descriptors of this process that are copies of its standard input.
std::size_t copies_of_input() {
    struct stat input{};
    EXPECT_EQ(::fstat(0, &input), 0);
    std::size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        struct stat at{};
        if (::fstat(fd, &at) == 0 && at.st_dev == input.st_dev && at.st_ino == input.st_ino)
            ++count;
    }
    return count;
}

class messages : public driver_test {
  protected:
    struct parcel : message {
        io_slice slice;
        explicit parcel(byte_view bytes) : slice(bytes) {
            slices = &slice;
            slice_count = 1;
        }
    };
    void start_message(probe& op, op_kind kind, const handle& on, message& what) {
        op.kind = kind;
        op.data = &what;
        start(op, on);
    }
    std::int64_t transfer_message(op_kind kind, const handle& on, message& what) {
        probe op;
        start_message(op, kind, on, what);
        return bench.finish(op);
    }
    std::int64_t send(const handle& on, std::string_view text, const address& to = {}) {
        parcel sent(bytes_of(text));
        sent.peer = to;
        return transfer_message(op_kind::send_message, on, sent);
    }
    std::int64_t receive(const handle& on, message& into) {
        return transfer_message(op_kind::receive_message, on, into);
    }
    /// Sends `full` until `right` takes no more, which ends the last one's wait by receiving.
    void fill_and_drain(const handle& left, const handle& right, parcel& full) {
        int sent = 0;
        probe last;
        for (;; ++sent) {
            start_message(last, op_kind::send_message, left, full);
            settle();
            if (!last.done()) break;
            ASSERT_EQ(last.result, 4);
        }
        parcel got{byte_span(bytes_)};
        for (int received = 0; received < sent; ++received) EXPECT_EQ(receive(right, got), 4);
        EXPECT_EQ(bench.finish(last), 4);
    }
    handle udp() {
        auto made = *via().open_socket(address_family::ipv4, socket_type::datagram);
        EXPECT_TRUE(via().bind(*made.record(), address::loopback(0)));
        return made;
    }

    std::byte bytes_[65536]{};
};
UPCALL_FOR_EVERY_DRIVER(messages);

TEST_P(messages, datagrams_arrive_with_their_sender) {
    auto left = udp();
    auto right = udp();
    EXPECT_EQ(send(left, "one", *via().local_address(*right.record())), 3);
    EXPECT_EQ(send(left, "", *via().local_address(*right.record())), 0);
    EXPECT_EQ(send(left, "three", *via().local_address(*right.record())), 5);
    parcel got{byte_span(bytes_)};
    EXPECT_EQ(receive(right, got), 3);
    EXPECT_EQ(got.peer, *via().local_address(*left.record()));
    EXPECT_EQ(receive(right, got), 0) << "an empty datagram is one";
    EXPECT_EQ(receive(right, got), 5);
    EXPECT_FALSE(got.data_truncated);
}

TEST_P(messages, waiting_for_a_datagram) {
    auto left = udp();
    auto right = udp();
    parcel got{byte_span(bytes_)};
    probe op;
    start_message(op, op_kind::receive_message, right, got);
    settle();
    EXPECT_FALSE(op.done());
    EXPECT_EQ(send(left, "", *via().local_address(*right.record())), 0);
    EXPECT_EQ(bench.finish(op), 0);
}

TEST_P(messages, what_does_not_fit_is_told_with_its_real_size) {
    auto [left, right] = *via().open_pair(socket_type::datagram);
    EXPECT_EQ(send(left, std::string(1000, 'x')), 1000);
    EXPECT_EQ(send(left, "next"), 4);
    parcel small{byte_span(bytes_, 10)};
    EXPECT_EQ(receive(right, small), 1000);
    EXPECT_TRUE(small.data_truncated);
    EXPECT_EQ(receive(right, small), 4);
    EXPECT_FALSE(small.data_truncated);
}

TEST_P(messages, truncation_does_not_eat_a_stream) {
    auto [left, right] = *via().open_pair(socket_type::stream);
    EXPECT_EQ(send(left, "0123456789"), 10);
    parcel small{byte_span(bytes_, 4)};
    EXPECT_EQ(receive(right, small), 4);
    EXPECT_EQ(receive(right, small), 4);
    EXPECT_EQ(text_of({bytes_, 4}), "4567");
    EXPECT_EQ(receive(right, small), 2);
}

TEST_P(messages, sequential_packets_keep_their_boundaries_and_have_an_end) {
    auto [left, right] = *via().open_pair(socket_type::sequential);
    EXPECT_EQ(send(left, "one"), 3);
    EXPECT_EQ(send(left, "two!"), 4);
    parcel got{byte_span(bytes_)};
    EXPECT_EQ(receive(right, got), 3);
    EXPECT_EQ(receive(right, got), 4);
    left.close();
    EXPECT_EQ(receive(right, got), 0);
}

TEST_P(messages, too_large_a_datagram_is_refused_and_the_next_goes) {
    auto left = udp();
    auto right = udp();
    const auto where = *via().local_address(*right.record());
    EXPECT_EQ(send(left, std::string(70000, 'x'), where), -EMSGSIZE);
    EXPECT_EQ(send(left, "fits", where), 4);
}

TEST_P(messages, nobody_there_is_told_and_passes) {
    auto left = udp();
    auto gone = udp();
    const auto where = *via().local_address(*gone.record());
    gone.close();
    probe connecting;
    connect(connecting, left, where);
    EXPECT_EQ(bench.finish(connecting), 0);
    parcel got{byte_span(bytes_)};
    probe receiving;
    start_message(receiving, op_kind::receive_message, left, got);
    EXPECT_EQ(send(left, "anybody?"), 8);
    EXPECT_EQ(bench.finish(receiving), -ECONNREFUSED);
    EXPECT_EQ(send(left, "anybody?"), 8);
}

TEST_P(messages, a_full_queue_of_a_connected_peer_is_waited_for) {
    auto [left, right] = *via().open_pair(socket_type::datagram);
    parcel full(bytes_of("fill"));
    fill_and_drain(left, right, full);
    parcel got{byte_span(bytes_)};
    EXPECT_EQ(receive(right, got), 4);
}

TEST_P(messages, a_full_queue_of_an_unconnected_peer_is_waited_for) {
    const auto where = *address::unix_path("@upcall-datagrams-" + std::to_string(::getpid()));
    auto left = *via().open_socket(address_family::unix_path, socket_type::datagram);
    auto right = *via().open_socket(address_family::unix_path, socket_type::datagram);
    ASSERT_TRUE(via().bind(*right.record(), where));
    parcel full(bytes_of("fill"));
    full.peer = where;
    fill_and_drain(left, right, full);
}

class descriptors : public messages {
  protected:
    descriptors() { std::tie(left_, right_) = *via().open_pair(socket_type::stream); }

    std::int64_t send_descriptors(std::size_t count) {
        std::vector<native_handle> passed(count, 0);
        std::vector<std::byte> control(message_control_room(count));
        parcel sent(bytes_of("fds"));
        sent.handles = passed.data();
        sent.handle_count = count;
        sent.control = control.data();
        sent.control_size = control.size();
        return transfer_message(op_kind::send_message, left_, sent);
    }
    /// Receives into room for `room` descriptors and closes what came.
    std::size_t receive_descriptors(std::size_t room, std::size_t control_room, bool& truncated) {
        std::vector<native_handle> arrived(room);
        std::vector<std::byte> control(message_control_room(control_room));
        parcel got{byte_span(bytes_)};
        got.handles = arrived.data();
        got.handle_max = room;
        got.control = control.empty() ? nullptr : control.data();
        got.control_size = control.size();
        EXPECT_EQ(receive(right_, got), 3);
        truncated = got.handles_truncated;
        for (std::size_t at = 0; at < got.handle_count; ++at) {
            const int fd = static_cast<int>(arrived[at]);
            EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
            ::close(fd);
        }
        return got.handle_count;
    }
    handle left_;
    handle right_;
};
UPCALL_FOR_EVERY_DRIVER(descriptors);

TEST_P(descriptors, arrive_by_the_number_and_none_leaks) {
    bool truncated = false;
    const std::size_t before = copies_of_input();
    for (const std::size_t count : {0U, 1U, 2U, 3U, 253U}) {
        EXPECT_EQ(send_descriptors(count), 3);
        EXPECT_EQ(receive_descriptors(count, count, truncated), count);
        EXPECT_FALSE(truncated);
    }
    EXPECT_EQ(send_descriptors(5), 3);
    EXPECT_EQ(receive_descriptors(2, 5, truncated), 2U) << "room in the control data alone";
    EXPECT_TRUE(truncated);
    EXPECT_EQ(send_descriptors(40), 3);
    const std::size_t held = (message_control_room(2) - CMSG_LEN(0)) / sizeof(int);
    EXPECT_EQ(receive_descriptors(40, 2, truncated), held);
    EXPECT_TRUE(truncated);
    EXPECT_EQ(send_descriptors(2), 3);
    EXPECT_EQ(receive_descriptors(0, 0, truncated), 0U);
    EXPECT_TRUE(truncated);
    EXPECT_EQ(copies_of_input(), before);
}

TEST_P(descriptors, too_many_or_without_room_are_refused) {
    EXPECT_EQ(send_descriptors(254), -EINVAL);
    native_handle one = 0;
    parcel sent(bytes_of("fds"));
    sent.handles = &one;
    sent.handle_count = 1;
    EXPECT_EQ(transfer_message(op_kind::send_message, left_, sent), -EINVAL);
}

}  // namespace
}  // namespace upcall::test
