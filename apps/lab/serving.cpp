#include "lab/serving.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <upcall/io/tcp.hpp>
#include <upcall/io/unix.hpp>
#include <upcall/os/thread.hpp>
#include <upcall/runtime/run.hpp>

#include "lab/echo_server.hpp"
#include "lab/findings.hpp"
#include "lab/owned_fd.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr std::size_t table_words = 1024;  // 8 KiB
std::array<std::uint64_t, table_words> table;
std::size_t words_to_look_at = table_words;

struct connection_thread {
    int socket = -1;
};

void serve_one(void* argument) noexcept {
    const int socket = static_cast<connection_thread*>(argument)->socket;
    std::array<char, message_bytes> message{};
    for (;;) {
        const auto got = ::read(socket, message.data(), message.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        work_on(message.data(), static_cast<std::size_t>(got));
        // A message fits into the socket's buffer, so that it is never cut.
        if (::write(socket, message.data(), static_cast<std::size_t>(got)) != got) return;
    }
}

std::string limits_of_threads() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    std::string most;
    std::ifstream("/proc/sys/kernel/threads-max") >> most;
    return "ulimit -u is " +
           (limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur)) +
           ", kernel.threads-max " + most;
}

upcall::task<> echo(upcall::byte_stream peer) {
    while (auto chunk = co_await peer.receive()) {
        work_on(reinterpret_cast<char*>(chunk->data()), chunk->size());
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) break;
    }
}

upcall::byte_stream adopted(int socket, bool is_tcp) {
    if (is_tcp) {
        auto made = upcall::tcp::stream::adopt(socket);
        if (made) return std::move(*made);
        throw lab_error("cannot use a socket: " + made.error().message());
    }
    auto made = upcall::unix_socket::stream::adopt(socket);
    if (made) return std::move(*made);
    throw lab_error("cannot use a socket: " + made.error().message());
}

upcall::task<> serve_all(const std::vector<int>& sockets, bool is_tcp,
                         const std::function<void()>& ready, std::string& failure) {
    const auto body = [&](upcall::scope& connections) -> upcall::task<> {
        try {
            for (const int each : sockets)
                connections.spawn_now(echo(adopted(each, is_tcp)), "echo");
        } catch (const lab_error& error) {
            failure = error.what();
            connections.cancel();
            co_return;
        }
        ready();
    };
    co_await upcall::with_scope(body);
}

}  // namespace

void work_on(char* message, std::size_t size) noexcept {
    constexpr std::size_t words_of_line = 8;
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < words_to_look_at; at += words_of_line) sum += table[at];
    message[0] = static_cast<char>(message[0] + static_cast<char>(sum & 1U));
    message[size - 1] = message[0];
}

void leave_work_out() noexcept { words_to_look_at = 0; }

void serve_by_threads(const std::vector<int>& sockets, const std::function<void()>& ready) {
    std::vector<connection_thread> all(sockets.size());
    std::vector<upcall::os_thread> threads;
    threads.reserve(sockets.size());
    for (std::size_t at = 0; at < sockets.size(); ++at) {
        all[at].socket = sockets[at];
        auto started = upcall::os_thread::start(serve_one, &all[at],
                                                {.name = "connection", .stack_bytes = 64 << 10});
        // Those that run already cannot be joined.
        if (!started)
            give_up("thread " + std::to_string(at + 1) + " of " + std::to_string(sockets.size()) +
                    " could not be started: " + started.error().message() + " (" +
                    limits_of_threads() + ")");
        threads.push_back(std::move(*started));
    }
    ready();
    for (upcall::os_thread& each : threads) each.join();
}

void serve_by_epoll(const std::vector<int>& sockets, const std::function<void()>& ready) {
    const owned_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    for (const int each : sockets) {
        // Told once of what comes: a read that leaves room has emptied the socket (epoll(7)).
        epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {.fd = each}};
        if (::fcntl(each, F_SETFL, O_NONBLOCK) != 0 ||
            ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, each, &interest) != 0)
            throw lab_error(failed("watch " + std::to_string(sockets.size()) + " sockets", errno));
    }
    ready();
    std::array<epoll_event, 256> events{};
    // For more than the one message that a connection has on its way.
    std::array<char, 16 * message_bytes> message{};
    for (;;) {
        const int count =
            ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
        for (int at = 0; at < count; ++at) {
            const int socket = events.at(static_cast<std::size_t>(at)).data.fd;
            const auto got = ::read(socket, message.data(), message.size());
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got <= 0) {
                ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, socket, nullptr);
                continue;
            }
            work_on(message.data(), static_cast<std::size_t>(got));
            if (::write(socket, message.data(), static_cast<std::size_t>(got)) != got) return;
        }
    }
}

void serve_by_upcall(const std::string& driver, bool is_tcp, const std::vector<int>& sockets,
                     const std::function<void()>& ready) {
    upcall::run_options how;
    how.driver.name = driver;
    how.handle_signals = false;
    std::string failure;
    const int status = upcall::run(serve_all(sockets, is_tcp, ready, failure), how);
    if (!failure.empty()) throw lab_error(failure);
    if (status != 0) throw lab_error("upcall could not run on " + driver);
}

}  // namespace upcall_lab
