#include "lab/readiness_ways.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "lab/findings.hpp"
#include "lab/owned_fd.hpp"
#include "lab/raw/ring_io.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

namespace abi = upcall::uring_abi;

void set_blocking(int socket, bool on) {
    const int flags = ::fcntl(socket, F_GETFL);
    if (::fcntl(socket, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) != 0)
        throw lab_error(failed("set a socket's mode", errno));
}

/// One read(2), counted. 0: there is nothing now.
std::size_t take_some(int socket, char* to, std::size_t size, effort& spent) {
    for (;;) {
        const auto got = ::read(socket, to, size);
        ++spent.calls;
        if (got > 0) {
            ++spent.copies;
            return static_cast<std::size_t>(got);
        }
        if (got == 0) throw lab_error("the sender has ended");
        if (errno == EAGAIN) return 0;
        if (errno != EINTR) throw lab_error(failed("read a socket", errno));
    }
}

/// Blocks in each call.
class blocking_way final : public receiving_way {
  public:
    blocking_way(int socket, int flags) : socket_(socket), flags_(flags) {
        set_blocking(socket, true);
    }
    effort receive(char* to, std::size_t size) override {
        effort spent;
        for (std::size_t done = 0; done < size;) {
            const auto got = ::recv(socket_, to + done, size - done, flags_);
            ++spent.calls;
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) throw lab_error(failed("receive", got == 0 ? EPIPE : errno));
            ++spent.copies;
            done += static_cast<std::size_t>(got);
        }
        return spent;
    }

  private:
    int socket_;
    int flags_;
};

/// Waits for readiness, then reads.
class readiness_way : public receiving_way {
  public:
    /// `drains`: readiness is told once for each arrival, so that reading goes on until there is
    /// nothing left.
    readiness_way(int socket, bool drains) : socket_(socket), drains_(drains) {
        set_blocking(socket, false);
    }
    effort receive(char* to, std::size_t size) final {
        effort spent;
        for (std::size_t done = 0; done < size;) {
            wait();
            ++spent.calls;
            ++spent.notifications;
            std::size_t got = 0;
            do {
                got = take_some(socket_, to + done, size - done, spent);
                done += got;
            } while (drains_ && got > 0 && done < size);
        }
        return spent;
    }

  protected:
    int socket() const noexcept { return socket_; }

  private:
    virtual void wait() = 0;

    int socket_;
    bool drains_;
};

class poll_way final : public readiness_way {
  public:
    explicit poll_way(int socket) : readiness_way(socket, false) {}

  private:
    void wait() override {
        pollfd interest{socket(), POLLIN, 0};
        while (::poll(&interest, 1, -1) < 0)
            if (errno != EINTR) throw lab_error(failed("poll", errno));
    }
};

class select_way final : public readiness_way {
  public:
    explicit select_way(int socket) : readiness_way(socket, false) {
        if (socket >= FD_SETSIZE)
            throw lab_error("select cannot watch descriptor " + std::to_string(socket) +
                            "; its limit is " + std::to_string(FD_SETSIZE - 1));
    }

  private:
    void wait() override {
        fd_set set;
        do {
            FD_ZERO(&set);
            FD_SET(socket(), &set);
        } while (::select(socket() + 1, &set, nullptr, nullptr, nullptr) < 0 && errno == EINTR);
    }
};

class epoll_way final : public readiness_way {
  public:
    epoll_way(int socket, bool edge)
        : readiness_way(socket, edge), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        epoll_event interest{.events = EPOLLIN, .data = {.fd = socket}};
        if (edge) interest.events |= EPOLLET;
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &interest) != 0)
            throw lab_error(failed("watch a socket", errno));
    }

  private:
    void wait() override {
        epoll_event event{};
        while (::epoll_wait(epoll_.get(), &event, 1, -1) < 0)
            if (errno != EINTR) throw lab_error(failed("wait for epoll", errno));
    }
    owned_fd epoll_;
};

/// A queued real-time signal for each change.
class sigio_way final : public readiness_way {
  public:
    explicit sigio_way(int socket) : readiness_way(socket, true) {
        ::sigemptyset(&awaited_);
        ::sigaddset(&awaited_, SIGRTMIN + 3);
        ::sigprocmask(SIG_BLOCK, &awaited_, nullptr);
        if (::fcntl(socket, F_SETOWN, ::getpid()) != 0 ||
            ::fcntl(socket, F_SETSIG, SIGRTMIN + 3) != 0 ||
            ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_ASYNC) != 0)
            throw lab_error(failed("ask for signals of a socket", errno));
    }

  private:
    void wait() override {
        siginfo_t about{};
        while (::sigwaitinfo(&awaited_, &about) < 0)
            if (errno != EINTR) throw lab_error(failed("wait for a signal", errno));
    }
    sigset_t awaited_{};
};

/// `flags` MSG_WAITALL: one completion, when everything is there.
class ring_way final : public receiving_way {
  public:
    ring_way(int socket, int flags) : socket_(socket), flags_(flags) {
        set_blocking(socket, true);
        open_ring(ring_, 8);
    }
    effort receive(char* to, std::size_t size) override {
        effort spent;
        for (std::size_t done = 0; done < size;) {
            abi::sqe* const entry = ring_.next_entry();
            if (entry == nullptr) throw lab_error("the ring is full");
            entry->opcode = abi::op::recv;
            entry->fd = socket_;
            entry->addr = reinterpret_cast<std::uint64_t>(to + done);
            entry->len = static_cast<std::uint32_t>(size - done);
            entry->msg_flags = static_cast<std::uint32_t>(flags_);
            int got = 0;
            for (bool is_there = false; !is_there;) {
                enter_ring(ring_, 1);
                ++spent.calls;
                ring_.reap([&](const abi::cqe& each) {
                    got = each.res;
                    is_there = true;
                });
            }
            ++spent.notifications;
            if (got <= 0) throw lab_error(failed("receive by io_uring", got == 0 ? EPIPE : -got));
            ++spent.copies;
            done += static_cast<std::size_t>(got);
        }
        return spent;
    }

  private:
    upcall::ring ring_;
    int socket_;
    int flags_;
};

template <class Way>
std::unique_ptr<receiving_way> make(int socket) {
    return std::make_unique<Way>(socket);
}
template <class Way, int With>
std::unique_ptr<receiving_way> make_with(int socket) {
    return std::make_unique<Way>(socket, With);
}

}  // namespace

const std::vector<receiving_name>& receiving_ways() {
    using upcall::kernel_interface;
    static const std::vector<receiving_name> all = {
        {"read", std::nullopt, make_with<blocking_way, 0>},
        {"WAITALL", std::nullopt, make_with<blocking_way, MSG_WAITALL>},
        {"select", kernel_interface::select, make<select_way>},
        {"poll", kernel_interface::poll, make<poll_way>},
        {"epoll", kernel_interface::epoll, make_with<epoll_way, false>},
        {"epoll edge", kernel_interface::epoll, make_with<epoll_way, true>},
        {"sigio", kernel_interface::sigio, make<sigio_way>},
        {"uring some", kernel_interface::uring, make_with<ring_way, 0>},
        {"uring all", kernel_interface::uring, make_with<ring_way, MSG_WAITALL>},
    };
    return all;
}

}  // namespace upcall_lab
