// Connecting and accepting.
#include <cerrno>
#include <utility>

#include "driver/iocp/errors.hpp"
#include "driver/iocp/iocp_driver.hpp"

namespace upcall::iocp {
namespace {

bool is_under_way(BOOL worked) noexcept { return worked || ::WSAGetLastError() == WSA_IO_PENDING; }

bool is_connecting(iocp_handle& record, const block& besides) noexcept {
    bool found = false;
    record.blocks.for_each([&](block& other) {
        found = found || (&other != &besides && other.op->kind == op_kind::connect);
    });
    return found;
}

/// Of a connection that was gone before anybody had accepted it.
std::int64_t accept_outcome(DWORD error) noexcept {
    const std::int64_t outcome = raw_of(error);
    return outcome == -ECONNRESET ? -ECONNABORTED : outcome;
}

}  // namespace

// ---- connect ------------------------------------------------------------------------------------

iocp_driver::step iocp_driver::begin_connect(block& made) noexcept {
    iocp_handle& record = record_of(made);
    const auto& where = *static_cast<const address*>(made.op->data);
    if (!record.is_socket) return done(-ENOTSOCK);
    if (where.family() != record.family) return done(-EAFNOSUPPORT);
    if (is_connecting(record, made)) return done(-EALREADY);
    winsock_address there(where);
    // ConnectEx takes bound sockets only.
    if (!record.bound) {
        auto here = winsock_address::wildcard(record.family);
        if (::bind(record.socket(), here.get(), here.size))
            return done(raw_of(static_cast<DWORD>(::WSAGetLastError())));
        record.bound = true;
    }
    if (!is_under_way(functions_.connect(record.socket(), there.get(), there.size, nullptr, 0,
                                         nullptr, made.fresh())))
        return done(raw_of(static_cast<DWORD>(::WSAGetLastError())));
    made.where = block::place::kernel;
    return under_way;
}

iocp_driver::step iocp_driver::go_on_connect(block& made, DWORD error) noexcept {
    iocp_handle& record = record_of(made);
    // The other side may have a connection by now; the socket is good for nothing else.
    if (error == ERROR_OPERATION_ABORTED) record.broken = true;
    if (error) return done(raw_of(error));
    // Without it getpeername and shutdown do not know that the socket is connected.
    if (::setsockopt(record.socket(), SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0))
        return done(raw_of(static_cast<DWORD>(::WSAGetLastError())));
    return done(0);
}

// ---- accept -------------------------------------------------------------------------------------

iocp_driver::step iocp_driver::begin_accept(block& made) noexcept {
    const iocp_handle& record = record_of(made);
    if (!record.is_socket) return done(-ENOTSOCK);
    made.accepted = ::WSASocketW(winsock_family(record.family), SOCK_STREAM, 0, nullptr, 0,
                                 WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (made.accepted == INVALID_SOCKET)
        return done(raw_of(static_cast<DWORD>(::WSAGetLastError())));
    constexpr DWORD room = sizeof made.addresses / 2;
    DWORD bytes = 0;
    // No data is asked for: a client that connects and says nothing is accepted like any other.
    if (!is_under_way(functions_.accept(record.socket(), made.accepted, made.addresses, 0, room,
                                        room, &bytes, made.fresh()))) {
        const auto error = static_cast<DWORD>(::WSAGetLastError());
        ::closesocket(std::exchange(made.accepted, INVALID_SOCKET));
        return done(accept_outcome(error));
    }
    made.where = block::place::kernel;
    return under_way;
}

iocp_driver::step iocp_driver::go_on_accept(block& made, DWORD error) noexcept {
    const SOCKET accepted = std::exchange(made.accepted, INVALID_SOCKET);
    if (error) {
        ::closesocket(accepted);
        return done(accept_outcome(error));
    }
    // Without it getpeername and shutdown do not know that the socket is connected.
    const SOCKET listener = record_of(made).socket();
    ::setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                 reinterpret_cast<const char*>(&listener), sizeof listener);
    const auto native = static_cast<native_handle>(accepted);
    if (!made.op->is_source()) return done(native);
    auto& source = static_cast<io_source&>(*made.op);
    source.deliver(source, native, nullptr);
    return begin(made);
}

}  // namespace upcall::iocp
