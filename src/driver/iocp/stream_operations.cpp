// Reading, writing and receiving on sockets and pipes.
#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "driver/iocp/errors.hpp"
#include "driver/iocp/iocp_driver.hpp"

namespace upcall::iocp {
namespace {

// One call takes this many slices, and this many bytes of each; the rest is left for the next.
constexpr std::size_t slices_max = 64;
constexpr std::size_t slice_bytes_max = std::size_t{1} << 30;
// A source lets others have their turn after this many buffers.
constexpr int receives_per_packet = 16;

struct native_slices {
    std::array<WSABUF, slices_max> buffers;
    DWORD count = 0;

    explicit native_slices(const io_operation& op) noexcept {
        if (op.flags & op_vectored) {
            const std::span slices(static_cast<const io_slice*>(op.data), op.size);
            for (const io_slice& slice : slices) add(slice.data, slice.size);
        } else {
            add(op.data, op.size);
        }
    }

    void add(void* data, std::size_t size) noexcept {
        if (size == 0 || count == buffers.size()) return;
        buffers[count++] = {static_cast<ULONG>(std::min(size, slice_bytes_max)),
                            static_cast<CHAR*>(data)};
    }
};

DWORD socket_error(int failed) noexcept {
    return failed ? static_cast<DWORD>(::WSAGetLastError()) : 0;
}

DWORD file_error(BOOL worked) noexcept { return worked ? 0 : ::GetLastError(); }

bool is_under_way(DWORD error) noexcept {
    static_assert(WSA_IO_PENDING == ERROR_IO_PENDING);
    return error == 0 || error == ERROR_IO_PENDING;
}

/// How a read that failed ends: the other end of a pipe closing, or our own shutdown, is the end of
/// the stream.
std::int64_t read_outcome(const block& made, DWORD error) noexcept {
    if (error == ERROR_BROKEN_PIPE || error == WSAESHUTDOWN) return 0;
    const bool by_shutdown = record_of(made).reading_shut && !made.asked;
    if (error == ERROR_OPERATION_ABORTED && by_shutdown) return 0;
    return raw_of(error);
}

}  // namespace

// ---- read ---------------------------------------------------------------------------------------

iocp_driver::step iocp_driver::begin_stream_read(block& made) noexcept {
    const iocp_handle& record = record_of(made);
    native_slices slices(*made.op);
    if (slices.count == 0) return done(0);
    DWORD flags = 0;
    const DWORD error =
        record.is_socket
            ? socket_error(::WSARecv(record.socket(), slices.buffers.data(), slices.count, nullptr,
                                     &flags, made.fresh(), nullptr))
            : file_error(::ReadFile(record.file(), slices.buffers[0].buf, slices.buffers[0].len,
                                    nullptr, made.fresh()));
    if (!is_under_way(error)) return done(read_outcome(made, error));
    made.where = block::place::kernel;
    return under_way;
}

iocp_driver::step iocp_driver::go_on_read(block& made, DWORD error, DWORD bytes) noexcept {
    if (bytes > 0) return done(bytes);
    if (error) return done(read_outcome(made, error));
    // A message of no bytes on a pipe is not its end; on a socket nothing else is.
    if (!record_of(made).is_socket) return begin(made);
    return done(0);
}

// ---- write --------------------------------------------------------------------------------------

iocp_driver::step iocp_driver::begin_stream_write(block& made) noexcept {
    const iocp_handle& record = record_of(made);
    native_slices slices(*made.op);
    if (slices.count == 0) return done(0);
    const DWORD error =
        record.is_socket ? socket_error(::WSASend(record.socket(), slices.buffers.data(),
                                                  slices.count, nullptr, 0, made.fresh(), nullptr))
                         : file_error(::WriteFile(record.file(), slices.buffers[0].buf,
                                                  slices.buffers[0].len, nullptr, made.fresh()));
    if (!is_under_way(error)) return done(raw_of(error));
    made.where = block::place::kernel;
    return under_way;
}

iocp_driver::step iocp_driver::go_on_write(block& made, DWORD error, DWORD bytes) noexcept {
    if (!error || bytes > 0) return done(bytes);
    if (error != ERROR_OPERATION_ABORTED) return done(raw_of(error));
    iocp_handle& record = record_of(made);
    if (record.closing && made.op->cause == cancel_cause::none) return done(-ECANCELED);
    // What an aborted send had already put on its way, nobody can say.
    record.broken = true;
    return done(raw_error(errc::interrupted));
}

// ---- receive ------------------------------------------------------------------------------------

std::byte* iocp_driver::lease_for(const io_operation& op) noexcept {
    return op.flags & op_bulk ? buffers().take_large() : buffers().take_small();
}

iocp_driver::step iocp_driver::wants_buffer(block& made) noexcept {
    made.where = block::place::want;
    wanting_.push_back(made);
    return under_way;
}

iocp_driver::step iocp_driver::begin_receive(block& made) noexcept {
    const iocp_handle& record = record_of(made);
    DWORD error = 0;
    if (record.is_socket) {
        WSABUF nothing{0, nullptr};
        DWORD flags = 0;
        error = socket_error(
            ::WSARecv(record.socket(), &nothing, 1, nullptr, &flags, made.fresh(), nullptr));
    } else {
        made.op->leased = lease_for(*made.op);
        if (!made.op->leased) return wants_buffer(made);
        const std::size_t room =
            made.op->flags & op_bulk ? buffers().large_bytes() : buffers().small_bytes();
        error = file_error(::ReadFile(record.file(), made.op->leased, static_cast<DWORD>(room),
                                      nullptr, made.fresh()));
        if (!is_under_way(error)) buffers().give_back(std::exchange(made.op->leased, nullptr));
    }
    if (!is_under_way(error)) return done(read_outcome(made, error));
    made.where = block::place::kernel;
    return under_way;
}

iocp_driver::step iocp_driver::go_on_receive(block& made, DWORD error, DWORD bytes) noexcept {
    if (!record_of(made).is_socket) return receive_from_pipe(made, error, bytes);
    if (error) return done(read_outcome(made, error));
    return receive_now(made);
}

// There is something to read, or there was: it is taken without waiting.
iocp_driver::step iocp_driver::receive_now(block& made) noexcept {
    io_operation& op = *made.op;
    const std::size_t room = op.flags & op_bulk ? buffers().large_bytes() : buffers().small_bytes();
    for (int round = 0; round < receives_per_packet; ++round) {
        if (made.asked) return done(-ECANCELED);
        std::byte* leased = lease_for(op);
        if (!leased) return wants_buffer(made);
        const int count = ::recv(record_of(made).socket(), reinterpret_cast<char*>(leased),
                                 static_cast<int>(room), 0);
        if (count <= 0) {
            const auto error = socket_error(count < 0);
            buffers().give_back(leased);
            if (error == WSAEWOULDBLOCK) return begin_receive(made);
            return done(error ? read_outcome(made, error) : 0);
        }
        if (!op.is_source()) {
            op.leased = leased;
            return done(count);
        }
        auto& source = static_cast<io_source&>(op);
        source.deliver(source, count, leased);
    }
    return begin(made);
}

iocp_driver::step iocp_driver::receive_from_pipe(block& made, DWORD error, DWORD bytes) noexcept {
    io_operation& op = *made.op;
    if (bytes == 0) {
        buffers().give_back(std::exchange(op.leased, nullptr));
        if (error) return done(read_outcome(made, error));
        return begin(made);  // a message of no bytes is not the end
    }
    if (!op.is_source()) return done(bytes);
    auto& source = static_cast<io_source&>(op);
    source.deliver(source, bytes, std::exchange(op.leased, nullptr));
    return begin(made);
}

}  // namespace upcall::iocp
