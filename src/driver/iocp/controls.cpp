// What the driver does at once: opening, naming, options, closing.
#include <cerrno>
#include <memory>
#include <utility>

#include "driver/iocp/errors.hpp"
#include "driver/iocp/iocp_driver.hpp"
#include "driver/iocp/pipe_pair.hpp"

namespace upcall::iocp {
namespace {

iocp_handle& its(handle_record& target) noexcept { return static_cast<iocp_handle&>(target); }

std::unexpected<std::error_code> not_possible(int code) noexcept {
    return failure(error_from_errno(code));
}

std::unexpected<std::error_code> last_socket_error() noexcept {
    return not_possible(errno_of(static_cast<DWORD>(::WSAGetLastError())));
}

void set_blocking(SOCKET socket, bool blocking) noexcept {
    u_long without = blocking ? 0 : 1;
    ::ioctlsocket(socket, static_cast<long>(FIONBIO), &without);
}

address_family family_of(SOCKET socket) noexcept {
    WSAPROTOCOL_INFOW about;
    int size = sizeof about;
    if (::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, reinterpret_cast<char*>(&about), &size))
        return address_family::none;
    if (about.iAddressFamily == AF_INET) return address_family::ipv4;
    return about.iAddressFamily == AF_INET6 ? address_family::ipv6 : address_family::none;
}

bool is_socket(native_handle native) noexcept {
    int type = 0;
    int size = sizeof type;
    return ::getsockopt(static_cast<SOCKET>(native), SOL_SOCKET, SO_TYPE,
                        reinterpret_cast<char*>(&type), &size) == 0;
}

/// Owns a socket until somebody else does.
struct socket_guard {
    SOCKET held;
    explicit socket_guard(SOCKET made) noexcept : held(made) {}
    socket_guard(const socket_guard&) = delete;
    socket_guard& operator=(const socket_guard&) = delete;
    ~socket_guard() {
        if (held != INVALID_SOCKET) ::closesocket(held);
    }
    native_handle give() noexcept {
        return static_cast<native_handle>(std::exchange(held, INVALID_SOCKET));
    }
};

SOCKET new_socket(address_family family) noexcept {
    return ::WSASocketW(winsock_family(family), SOCK_STREAM, 0, nullptr, 0,
                        WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

}  // namespace

// ---- opening and closing ------------------------------------------------------------------------

result<handle> iocp_driver::wrap(native_handle native, handle_kind kind, address_family family,
                                 bool socket) noexcept {
    iocp_handle* record = nullptr;
    try {
        record = new iocp_handle;
    } catch (const std::bad_alloc&) {
        return not_possible(ENOMEM);
    }
    record->via = this;
    record->native = native;
    record->kind = kind;
    record->family = family;
    record->is_socket = socket;
    return hand_out(*record);
}

result<handle> iocp_driver::open_socket(address_family family, socket_type type) noexcept {
    if (winsock_family(family) == AF_UNSPEC) return not_possible(EAFNOSUPPORT);
    if (type != socket_type::stream) return failure(errc::unsupported);
    socket_guard made(new_socket(family));
    if (made.held == INVALID_SOCKET) return last_socket_error();
    if (family == address_family::ipv6) {
        // Linux's default; the other way round on Windows.
        const DWORD only = 0;
        ::setsockopt(made.held, IPPROTO_IPV6, IPV6_V6ONLY, reinterpret_cast<const char*>(&only),
                     sizeof only);
    }
    auto adopted = adopt(static_cast<native_handle>(made.held), handle_kind::stream);
    if (adopted) made.give();
    return adopted;
}

result<handle> iocp_driver::adopt(native_handle native, handle_kind kind) noexcept {
    if (kind == handle_kind::foreign || kind == handle_kind::datagram)
        return failure(errc::unsupported);
    const bool socket = kind != handle_kind::file && is_socket(native);
    if (const auto bound = bind_to_port(reinterpret_cast<HANDLE>(native)); !bound)
        return failure(bound.error());
    if (!socket) return wrap(native, kind, address_family::none, false);
    set_blocking(static_cast<SOCKET>(native), false);
    auto made = wrap(native, kind, family_of(static_cast<SOCKET>(native)), true);
    if (made) {
        winsock_address name;
        auto& record = its(*made->record());
        record.bound = ::getsockname(record.socket(), name.get(), &name.size) == 0;
    }
    return made;
}

result<native_handle> iocp_driver::release(handle& from) noexcept {
    auto& record = its(*from.record());
    if (record.in_flight > 0) return not_possible(EBUSY);
    if (record.is_socket) set_blocking(record.socket(), true);
    from.detach();
    const native_handle native = record.native;
    delete &record;
    note_gone();
    return native;
}

std::int64_t iocp_driver::destroy(handle_record& target) noexcept {
    auto& record = its(target);
    const bool closed =
        record.is_socket ? ::closesocket(record.socket()) == 0 : ::CloseHandle(record.file()) != 0;
    const DWORD error = closed ? 0 : ::GetLastError();
    delete &record;
    note_gone();
    return raw_of(error);
}

// Windows has no socketpair(2): a listener that nobody else can reach in time, and a look at who
// came.
result<std::pair<handle, handle>> iocp_driver::open_pair(socket_type type) noexcept {
    if (type != socket_type::stream) return failure(errc::unsupported);
    const socket_guard listener(new_socket(address_family::ipv4));
    socket_guard one(new_socket(address_family::ipv4));
    if (listener.held == INVALID_SOCKET || one.held == INVALID_SOCKET) return last_socket_error();
    winsock_address where(address::loopback(0));
    winsock_address came;
    winsock_address own;
    if (::bind(listener.held, where.get(), where.size) || ::listen(listener.held, 1) ||
        ::getsockname(listener.held, where.get(), &where.size) ||
        ::connect(one.held, where.get(), where.size))
        return last_socket_error();
    socket_guard other(::accept(listener.held, came.get(), &came.size));
    if (other.held == INVALID_SOCKET || ::getsockname(one.held, own.get(), &own.size))
        return last_socket_error();
    if (own.read() != came.read()) return not_possible(ECONNABORTED);
    auto first = adopt(static_cast<native_handle>(one.held), handle_kind::stream);
    if (!first) return failure(first.error());
    one.give();
    auto second = adopt(static_cast<native_handle>(other.held), handle_kind::stream);
    if (!second) return failure(second.error());
    other.give();
    return std::pair(std::move(*first), std::move(*second));
}

result<std::pair<handle, handle>> iocp_driver::open_pipe() noexcept {
    const auto ends = make_pipe_pair();
    if (!ends) return failure(ends.error());
    auto first = adopt(ends->read_end, handle_kind::stream);
    if (!first) ::CloseHandle(reinterpret_cast<HANDLE>(ends->read_end));
    auto second = adopt(ends->write_end, handle_kind::stream);
    if (!second) ::CloseHandle(reinterpret_cast<HANDLE>(ends->write_end));
    if (!first) return failure(first.error());
    if (!second) return failure(second.error());
    return std::pair(std::move(*first), std::move(*second));
}

// ---- names --------------------------------------------------------------------------------------

result<void> iocp_driver::bind(handle_record& target, const address& where) noexcept {
    auto& record = its(target);
    if (where.family() != record.family) return not_possible(EAFNOSUPPORT);
    winsock_address name(where);
    if (::bind(record.socket(), name.get(), name.size)) return last_socket_error();
    record.bound = true;
    return {};
}

result<void> iocp_driver::listen(handle_record& target, int backlog) noexcept {
    auto& record = its(target);
    if (!record.bound && record.is_socket) {
        // As Linux does it: a listener without a name gets a port.
        auto any = winsock_address::wildcard(record.family);
        if (::bind(record.socket(), any.get(), any.size)) return last_socket_error();
        record.bound = true;
    }
    if (::listen(record.socket(), backlog)) return last_socket_error();
    record.kind = handle_kind::listener;
    return {};
}

result<address> iocp_driver::local_address(handle_record& target) noexcept {
    auto& record = its(target);
    if (!record.bound && record.is_socket) return winsock_address::wildcard(record.family).read();
    winsock_address name;
    if (::getsockname(record.socket(), name.get(), &name.size)) return last_socket_error();
    return name.read();
}

result<address> iocp_driver::peer_address(handle_record& target) noexcept {
    winsock_address name;
    if (::getpeername(its(target).socket(), name.get(), &name.size)) return last_socket_error();
    return name.read();
}

result<void> iocp_driver::shut_down(handle_record& target, shut direction) noexcept {
    iocp_handle& record = its(target);
    const int how = direction == shut::reading   ? SD_RECEIVE
                    : direction == shut::writing ? SD_SEND
                                                 : SD_BOTH;
    if (::shutdown(record.socket(), how)) return last_socket_error();
    if (direction == shut::writing) return {};
    // Winsock only refuses the reads to come.
    record.reading_shut = true;
    record.readers.for_each([](block& waiting) {
        if (waiting.where == block::place::kernel) ask_kernel(waiting);
    });
    return {};
}

}  // namespace upcall::iocp
