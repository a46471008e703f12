// An HTTP client that does exactly what it is told, right or wrong, over plain blocking sockets:
// it shares nothing with what it tests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace upcall::testing {

/// Where a server listens, as its greeting says: "http://127.0.0.1:8080/", "http://[::1]:80/" or
/// "unix:/path".
struct server_place {
    sockaddr_storage address{};
    socklen_t size = 0;

    static server_place of(std::string_view url) {
        server_place place;
        if (url.starts_with("unix:")) {
            auto& path = reinterpret_cast<sockaddr_un&>(place.address);
            path.sun_family = AF_UNIX;
            url.substr(5).copy(path.sun_path, sizeof path.sun_path - 1);
            place.size = sizeof path;
            return place;
        }
        url.remove_prefix(std::min(url.size(), std::string_view("http://").size()));
        const std::string host(url.substr(0, url.rfind(':')));
        const auto port = static_cast<in_port_t>(
            std::strtoul(std::string(url.substr(url.rfind(':') + 1)).c_str(), nullptr, 10));
        if (host.starts_with('[')) {
            auto& six = reinterpret_cast<sockaddr_in6&>(place.address);
            six.sin6_family = AF_INET6;
            six.sin6_port = htons(port);
            ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six.sin6_addr);
            place.size = sizeof six;
        } else {
            auto& four = reinterpret_cast<sockaddr_in&>(place.address);
            four.sin_family = AF_INET;
            four.sin_port = htons(port);
            ::inet_pton(AF_INET, host.c_str(), &four.sin_addr);
            place.size = sizeof four;
        }
        return place;
    }
};

/// How the bytes that came end.
enum class stream_end { open, ended, reset, timed_out };

struct http_response {
    int status = 0;  // 0: nothing came that looks like a response
    std::string head;
    std::string body;
    /// All that the head promised has come.
    bool complete = false;

    /// A field's value; empty when it is not there. `name` as the server writes it.
    std::string field(const std::string& name) const {
        const auto at = head.find("\r\n" + name + ": ");
        if (at == head.npos) return "";
        const auto from = at + name.size() + 4;
        return head.substr(from, head.find("\r\n", from) - from);
    }
};

class http_client {
  public:
    /// With `receive_bytes`, the kernel holds about that much of what nobody has read.
    explicit http_client(const server_place& place, int receive_bytes = 0) : place_(place) {
        open(receive_bytes);
    }
    explicit http_client(std::string_view url, int receive_bytes = 0)
        : http_client(server_place::of(url), receive_bytes) {}
    http_client(http_client&& other) noexcept
        : place_(other.place_),
          socket_(std::exchange(other.socket_, -1)),
          unread_(std::move(other.unread_)),
          end_(other.end_) {}
    http_client& operator=(http_client&& other) noexcept {
        std::swap(place_, other.place_);
        std::swap(socket_, other.socket_);
        std::swap(unread_, other.unread_);
        std::swap(end_, other.end_);
        return *this;
    }
    ~http_client() { close(); }

    int socket() const { return socket_; }
    bool connected() const { return socket_ >= 0; }
    stream_end end() const { return end_; }

    /// False: the peer takes no more.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool get(const std::string& target, const std::string& fields = "") {
        return send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    }

    /// The next response, or what there was of it.
    http_response response(bool to_head = false) {
        http_response got;
        std::size_t head_bytes = 0;
        while ((head_bytes = unread_.find("\r\n\r\n")) == unread_.npos)
            if (!read_some()) return got;
        head_bytes += 4;
        got.head = unread_.substr(0, head_bytes);
        if (got.head.starts_with("HTTP/1.1 ")) got.status = std::atoi(got.head.c_str() + 9);
        const std::string length = got.field("Content-Length");
        const std::size_t promised = to_head ? 0 : std::strtoull(length.c_str(), nullptr, 10);
        unread_.erase(0, head_bytes);
        while (unread_.size() < promised && read_some()) {
        }
        got.body = unread_.substr(0, promised);
        got.complete = got.status != 0 && got.body.size() == promised;
        unread_.erase(0, promised);
        return got;
    }

    /// Everything until the other side ends; `end` says how it did.
    std::string rest() {
        while (read_some()) {
        }
        return std::exchange(unread_, {});
    }

    /// Reads once. False when nothing more comes.
    bool read_some() {
        char some[16'384];
        while (end_ == stream_end::open) {
            pollfd interest{socket_, POLLIN, 0};
            if (::poll(&interest, 1, patience_ms) <= 0) {
                if (errno == EINTR) continue;
                end_ = stream_end::timed_out;
                break;
            }
            const ssize_t got = ::recv(socket_, some, sizeof some, 0);
            if (got > 0) {
                unread_.append(some, static_cast<std::size_t>(got));
                return true;
            }
            if (got == 0) end_ = stream_end::ended;
            if (got < 0 && errno != EINTR) end_ = stream_end::reset;
        }
        return false;
    }
    /// What has come and was not asked for yet.
    const std::string& unread() const { return unread_; }

    void end_sending() { ::shutdown(socket_, SHUT_WR); }
    void close() {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }
    /// Ends the connection as a crashed peer does.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

  private:
    static constexpr int patience_ms = 30'000;

    void open(int receive_bytes) {
        socket_ = ::socket(place_.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        if (place_.address.ss_family != AF_UNIX)
            ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (receive_bytes > 0)
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        const auto* where = reinterpret_cast<const sockaddr*>(&place_.address);
        if (::connect(socket_, where, place_.size) != 0) close();
    }

    server_place place_;
    int socket_ = -1;
    std::string unread_;
    stream_end end_ = stream_end::open;
};

}  // namespace upcall::testing
