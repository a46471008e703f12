// A restricted ring refuses what the driver never asks of it, and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include <upcall/base/aligned_buffer.hpp>
#include <upcall/driver/select.hpp>

#include "driver/uring/restrictions.hpp"
#include "support/driver_bench.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::test {
namespace {

using namespace uring_abi;

class hardened_ring : public ::testing::Test {
  protected:
    void SetUp() override {
        const int refused = ring_.open({.sq_entries = 8, .cq_entries = 16});
        if (refused < 0) GTEST_SKIP() << "no io_uring here: " << std::strerror(-refused);
        ASSERT_EQ(restrict_to_driver(ring_), 0);
        ASSERT_EQ(ring_.enable(), 0);
    }

    /// What the entry that `fill` makes comes back with.
    template <class Fill>
    std::optional<std::int32_t> outcome_of(Fill fill) {
        fill(*ring_.next_entry());
        EXPECT_GE(ring_.enter(1, nullptr), 0);
        std::optional<std::int32_t> outcome;
        ring_.reap([&](const cqe& answer) { outcome = answer.res; });
        return outcome;
    }

    ring ring_;
};

void fill_read(sqe& entry, int fd, void* into) {
    entry.opcode = op::read;
    entry.fd = fd;
    entry.addr = reinterpret_cast<std::uint64_t>(into);
    entry.len = 1;
    entry.off = ~std::uint64_t{0};
}

}  // namespace

TEST_F(hardened_ring, opens_no_file_whatever_it_is_told) {
    const char* const path = "/dev/null";
    EXPECT_EQ(outcome_of([&](sqe& entry) {
                  entry.opcode = op::openat;
                  entry.fd = AT_FDCWD;
                  entry.addr = reinterpret_cast<std::uint64_t>(path);
              }),
              -EACCES);
}

TEST_F(hardened_ring, refuses_flags_that_the_driver_does_not_use) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(outcome_of([&](sqe& entry) {
                  fill_read(entry, ends[0], &byte);
                  entry.flags = sqe_flag::io_drain;
              }),
              -EACCES);
    EXPECT_EQ(byte, 0);
    EXPECT_EQ(outcome_of([&](sqe& entry) { fill_read(entry, ends[0], &byte); }), 1);
    EXPECT_EQ(byte, 'x');
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(hardened_ring, takes_no_other_register_calls_and_stays_as_it_is) {
    EXPECT_EQ(ring_.control(register_op::personality, nullptr, 0), -EACCES);
    restriction all{};
    all.opcode = restriction_kind::sqe_op;
    EXPECT_LT(ring_.control(register_op::restrictions, &all, 1), 0);
}

// ---- a driver on such a ring, and all that it asks of it
// ------------------------------------------

class hardened_driver : public ::testing::Test {
  protected:
    void SetUp() override {
        uring_options restricted;
        restricted.hardened = true;
        selection_report report;
        bool made = false;
        bench.emplace([&](const driver_environment& lent) -> std::unique_ptr<driver> {
            auto some = make_driver({.name = "uring", .uring = restricted}, lent, &report);
            made = some.has_value();
            if (!made) some = make_driver({.name = "poll", .uring = {}}, lent);
            return std::move(some.value());
        });
        if (!made) GTEST_SKIP() << "no restricted ring here: " << report.to_string();
    }

    std::optional<driver_bench> bench;
};

TEST_F(hardened_driver, accepts_connects_reads_and_writes_streams) {
    auto [client, server] = bench->connected();
    bench_operation op;
    std::byte bytes[8];
    bench->write(op, client, bytes_of("plain"));
    EXPECT_EQ(bench->finish(op), 5);
    bench->read(op, server, bytes);
    EXPECT_EQ(bench->finish(op), 5);
    std::byte halves[2][3];
    io_slice slices[] = {byte_span(halves[0]), byte_span(halves[1])};
    std::memcpy(halves, "abcdef", 6);
    bench->start_vectored(op, op_kind::write, client, slices);
    EXPECT_EQ(bench->finish(op), 6);
    bench->start_vectored(op, op_kind::read, server, slices);
    EXPECT_EQ(bench->finish(op), 6);
    EXPECT_EQ(std::memcmp(halves, "abcdef", 6), 0);
}

TEST_F(hardened_driver, delivers_many_values_of_one_request_and_ends_it_when_asked) {
    handle listener = bench->listening();
    const address where = bench->via().local_address(*listener.record()).value();
    bench_operation accepting;
    bench->accept(accepting, listener, op_multishot);
    handle client = bench->via().open_socket(where.family(), socket_type::stream).value();
    bench_operation op;
    bench->connect(op, client, where);
    EXPECT_EQ(bench->finish(op), 0);
    bench->until([&] { return !accepting.values.empty() || accepting.done(); });
    const std::int64_t native =
        accepting.values.empty() ? accepting.result : accepting.values.front().number;
    ASSERT_GE(native, 0);
    handle server = bench->via().adopt_accepted(static_cast<native_handle>(native)).value();
    if (!accepting.done()) {
        accepting.request_cancel(cancel_cause::cancelled);
        EXPECT_EQ(bench->finish(accepting), -ECANCELED);
    }
    bench_operation receiving;
    bench->receive(receiving, server);
    bench->write(op, client, bytes_of("leased"));
    EXPECT_EQ(bench->finish(op), 6);
    EXPECT_EQ(bench->finish(receiving), 6);
    EXPECT_EQ(bench->take(receiving.result, receiving.leased), "leased");
    bench->receive(receiving, server, op_bulk);
    bench->write(op, client, bytes_of("in bulk"));
    EXPECT_EQ(bench->finish(op), 7);
    EXPECT_EQ(bench->finish(receiving), 7);
    EXPECT_EQ(bench->take(receiving.result, receiving.leased), "in bulk");
}

TEST_F(hardened_driver, uses_one_connection_often_enough_to_give_it_a_place_in_the_table) {
    auto [client, server] = bench->connected();
    for (int round = 0; round < 100; ++round) {
        bench_operation op;
        std::byte byte[1];
        bench->write(op, client, bytes_of("x"));
        ASSERT_EQ(bench->finish(op), 1);
        bench->read(op, server, byte);
        ASSERT_EQ(bench->finish(op), 1);
    }
}

TEST_F(hardened_driver, reads_and_writes_files_and_registered_memory) {
    const testing::scratch_folder folder;
    handle file = bench->open(folder / "data", open_read | open_write | open_create);
    aligned_buffer memory(4096);
    const std::int64_t registered = bench->via().register_memory(memory);
    std::memset(memory.data(), 7, memory.size());
    bench_operation op;
    bench->file_write(op, file, 100, memory);
    EXPECT_EQ(bench->finish(op), 4096);
    std::memset(memory.data(), 0, memory.size());
    bench->file_read(op, file, 100, memory);
    EXPECT_EQ(bench->finish(op), 4096);
    EXPECT_EQ(memory.data()[4095], std::byte{7});
    if (registered == 0) bench->via().forget_memory(memory);
    io_slice slices[] = {memory.span().first(10), memory.span().subspan(10, 20)};
    op.offset = 100;
    bench->start_vectored(op, op_kind::file_write, file, slices);
    EXPECT_EQ(bench->finish(op), 30);
    bench->start_vectored(op, op_kind::file_read, file, slices);
    EXPECT_EQ(bench->finish(op), 30);
}

TEST_F(hardened_driver, waits_for_others_descriptors_and_sends_messages) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    {
        handle watched = bench->via().adopt(ends[0], handle_kind::foreign).value();
        bench_operation waiting;
        waiting.kind = op_kind::poll;
        waiting.target = watched.record();
        waiting.size = ready_to_read;
        bench->start(waiting);
        ASSERT_EQ(::write(ends[1], "x", 1), 1);
        EXPECT_EQ(bench->finish(waiting), std::int64_t{ready_to_read});
    }
    ::close(ends[0]);
    ::close(ends[1]);
    auto pair = bench->via().open_pair(socket_type::datagram).value();
    std::byte bytes[5];
    std::memcpy(bytes, "hello", 5);
    io_slice slice(byte_span{bytes});
    message sent;
    sent.slices = &slice;
    sent.slice_count = 1;
    bench_operation op;
    op.kind = op_kind::send_message;
    op.target = pair.first.record();
    op.data = &sent;
    bench->start(op);
    EXPECT_EQ(bench->finish(op), 5);
    message got;
    got.slices = &slice;
    got.slice_count = 1;
    op.completions = 0;
    op.kind = op_kind::receive_message;
    op.target = pair.second.record();
    op.data = &got;
    bench->start(op);
    EXPECT_EQ(bench->finish(op), 5);
}

}  // namespace upcall::test
