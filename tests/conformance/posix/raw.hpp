// Peers that are strangers to the library: plain blocking sockets and descriptors.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <upcall/driver/address.hpp>

namespace upcall::test {

/// Owns a descriptor.
class raw_fd {
  public:
    raw_fd() = default;
    explicit raw_fd(int fd) noexcept : fd_(fd) {}
    raw_fd(raw_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    raw_fd& operator=(raw_fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~raw_fd() { close(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void close() noexcept {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

/// The value of a call that must not fail; throws what errno says.
inline int checked(int value, const char* what) {
    if (value < 0) throw std::system_error(errno, std::generic_category(), what);
    return value;
}

inline sockaddr_in raw_loopback(std::uint16_t port) noexcept {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return where;
}

/// A listening socket on a free port of the loopback interface.
inline raw_fd raw_listen(int backlog = 128) {
    raw_fd made(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_in any = raw_loopback(0);
    checked(::bind(made.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), "bind");
    checked(::listen(made.get(), backlog), "listen");
    return made;
}

inline address raw_address(const raw_fd& of) {
    sockaddr_in found{};
    socklen_t size = sizeof found;
    checked(::getsockname(of.get(), reinterpret_cast<sockaddr*>(&found), &size), "getsockname");
    return address::loopback(ntohs(found.sin_port));
}

inline raw_fd raw_socket(int flags = 0) {
    return raw_fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
}

inline void raw_connect(const raw_fd& socket, const address& peer) {
    const sockaddr_in where = raw_loopback(peer.port());
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 &&
        errno != EINPROGRESS)
        checked(-1, "connect");
}

/// A socket that connects to a port of the loopback interface; `flags` may be SOCK_NONBLOCK.
inline raw_fd raw_connect(const address& peer, int flags = 0) {
    raw_fd made = raw_socket(flags);
    raw_connect(made, peer);
    return made;
}

/// Two ends of a pair of Unix stream sockets.
inline std::pair<raw_fd, raw_fd> raw_pair(int type = SOCK_STREAM) {
    int ends[2];
    checked(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), "socketpair");
    return {raw_fd(ends[0]), raw_fd(ends[1])};
}

inline void raw_send(const raw_fd& to, std::string_view text) {
    checked(static_cast<int>(::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL)), "send");
}

/// What is there now: text, or "" at the end; "nothing" and the errno's name in other cases.
inline std::string raw_receive(const raw_fd& from, int flags = MSG_DONTWAIT) {
    std::string room(65536, '\0');
    const ssize_t count = ::recv(from.get(), room.data(), room.size(), flags);
    if (count < 0) return std::string("error: ") + std::generic_category().message(errno);
    room.resize(static_cast<std::size_t>(count));
    return room;
}

/// Closes with a reset instead of an orderly end.
inline void raw_reset(raw_fd& peer) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    checked(::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
    peer.close();
}

/// A listener whose queue is full, so that a further connect gets no answer at all, as from a
/// network that swallows its packets.
struct black_hole {
    raw_fd listener;
    raw_fd first;
    raw_fd second;
    address where;

    black_hole() : listener(raw_listen(0)), where(raw_address(listener)) {
        first = raw_connect(where);
        second = raw_connect(where, SOCK_NONBLOCK);
    }
};

/// Lowers a limit of this process for as long as it lives.
class lowered_limit {
  public:
    lowered_limit(decltype(RLIMIT_NOFILE) which, rlim_t soft) : which_(which) {
        checked(::getrlimit(which_, &before_), "getrlimit");
        rlimit now = before_;
        now.rlim_cur = soft;
        checked(::setrlimit(which_, &now), "setrlimit");
    }
    lowered_limit(const lowered_limit&) = delete;
    lowered_limit& operator=(const lowered_limit&) = delete;
    ~lowered_limit() { ::setrlimit(which_, &before_); }

  private:
    decltype(RLIMIT_NOFILE) which_;
    rlimit before_{};
};

/// The lowest descriptor number that is free: a limit at this admits no further one.
inline rlim_t next_descriptor() {
    const raw_fd probe(checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"));
    return static_cast<rlim_t>(probe.get());
}

}  // namespace upcall::test
