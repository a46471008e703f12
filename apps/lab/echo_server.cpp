#include "lab/echo_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <upcall/os/thread.hpp>

#include "lab/clocks.hpp"
#include "lab/findings.hpp"
#include "lab/run.hpp"
#include "lab/serving.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

int domain_of(transport over) { return over == transport::tcp ? AF_INET : AF_UNIX; }

owned_fd new_socket(transport over) {
    owned_fd made(::socket(domain_of(over), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (made.get() < 0) throw lab_error(failed("open a socket", errno));
    return made;
}

/// On a loopback port, or under a name that the kernel picks (unix(7), autobind).
owned_fd listen_on(transport over) {
    owned_fd made = new_socket(over);
    sockaddr_in tcp{};
    tcp.sin_family = AF_INET;
    tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    const int error =
        over == transport::tcp
            ? ::bind(made.get(), reinterpret_cast<sockaddr*>(&tcp), sizeof tcp)
            : ::bind(made.get(), reinterpret_cast<sockaddr*>(&local), sizeof local.sun_family);
    if (error != 0 || ::listen(made.get(), 4096) != 0)
        throw lab_error(failed("listen on a local address", errno));
    return made;
}

/// Resident memory of this process alone, private or shared.
double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double all = 0;
    double resident = 0;
    file >> all >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

struct answering {
    int asked = -1;
    int answers = -1;

    void tell() const noexcept {
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        const server_usage now{.cpu_ns = cpu_ns(),
                               .switches = context_switches(used),
                               .memory_bytes = resident_bytes()};
        // What is not written is missed at the other end.
        static_cast<void>(!::write(answers, &now, sizeof now));
    }
};

void answer_all(void* argument) noexcept {
    const auto& mine = *static_cast<answering*>(argument);
    for (char asked = 0; ::read(mine.asked, &asked, 1) == 1;) mine.tell();
    give_up("nobody asks any more");
}

void accept_all(int listener, unsigned connections, std::vector<int>& sockets, transport over) {
    sockets.reserve(connections);
    while (sockets.size() < connections) {
        const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (socket < 0)
            throw lab_error(failed("accept connection " + std::to_string(sockets.size() + 1) +
                                       " of " + std::to_string(connections),
                                   errno));
        const int on = 1;
        if (over == transport::tcp) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockets.push_back(socket);
    }
}

}  // namespace

echo_server::echo_server(const std::string& kind, transport over, bool works, unsigned connections)
    : over_(over), listener_(listen_on(over)) {
    std::array<int, 2> asking{};
    std::array<int, 2> answers{};
    if (::pipe2(asking.data(), O_CLOEXEC) != 0 || ::pipe2(answers.data(), O_CLOEXEC) != 0)
        throw lab_error(failed("open a pipe", errno));
    ask_ = owned_fd(asking[1]);
    answers_ = owned_fd(answers[0]);
    {
        const owned_fd asked(asking[0]);
        const owned_fd answer_to(answers[1]);
        process_ = std::make_unique<side_process>([&] {
            ask_.close();
            answers_.close();
            if (!works) leave_work_out();
            be_the_server(kind, connections, asked.get(), answer_to.get());
        });
    }
    before_ = read_usage();
}

void echo_server::be_the_server(const std::string& kind, unsigned connections, int asked,
                                int answers) {
    settle_on_core(measured_core);
    answering mine{.asked = asked, .answers = answers};
    auto helper =
        upcall::os_thread::start(answer_all, &mine, {.name = "answers", .stack_bytes = 0});
    if (!helper) give_up("no thread could be started: " + helper.error().message());
    try {
        mine.tell();
        std::vector<int> sockets;
        accept_all(listener_.get(), connections, sockets, over_);
        listener_.close();
        const auto ready = [&] { mine.tell(); };
        if (kind == threads_server)
            serve_by_threads(sockets, ready);
        else if (kind == epoll_server)
            serve_by_epoll(sockets, ready);
        else
            serve_by_upcall(kind, over_ == transport::tcp, sockets, ready);
    } catch (const std::exception& error) {
        give_up(error.what());
    }
    give_up("the server has ended");
}

owned_fd echo_server::connect() {
    sockaddr_storage where{};
    socklen_t size = sizeof where;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&where), &size);
    owned_fd made = new_socket(over_);
    while (::connect(made.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0) {
        const int error = errno;
        process_->expect_alive(0);
        if (error == EINTR) continue;
        throw lab_error(failed("connect to the server", error));
    }
    const int on = 1;
    if (over_ == transport::tcp) ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return made;
}

void echo_server::await_ready() {
    listener_.close();
    read_usage();
}

server_usage echo_server::usage() {
    if (::write(ask_.get(), "u", 1) != 1) process_->expect_alive(1000);
    return read_usage();
}

server_usage echo_server::read_usage() {
    server_usage seen;
    ssize_t got = 0;
    do got = ::read(answers_.get(), &seen, sizeof seen);
    while (got < 0 && errno == EINTR);
    if (got == sizeof seen) return seen;
    process_->expect_alive(1000);
    throw lab_error("the server has stopped answering");
}

}  // namespace upcall_lab
