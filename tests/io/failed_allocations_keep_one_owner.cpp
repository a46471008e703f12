// The n-th allocation fails, for n = 1, 2, …, while something is made of a descriptor: whoever
// owned it before still does, or it is closed, once.
#include <upcall/base/recycler.hpp>
#include <upcall/io/pipe.hpp>
#include <upcall/io/udp.hpp>
#include <upcall/io/unix.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "pairs.hpp"
#include "support/counting_new.hpp"
#include "support/scratch_folder.hpp"

#ifndef UPCALL_TEST_SANITIZED

namespace {

/// Calls of close(2) on what was not open: a second time, that is.
std::atomic<int> bad_closes = 0;

}  // namespace

/// Stands before the C library's.
extern "C" int close(int fd) {
    const auto outcome = static_cast<int>(::syscall(SYS_close, fd));
    if (outcome != 0 && errno == EBADF) ++bad_closes;
    return outcome;
}

namespace upcall::testing {
namespace {

class owners : public io_test {
  protected:
    void SetUp() override {
        io_test::SetUp();
        bad_closes = 0;
        recycler_bypass(true);
    }
    void TearDown() override {
        recycler_bypass(false);
        io_test::TearDown();
        EXPECT_EQ(bad_closes, 0);
    }

    /// `adopt` takes what `open` makes, or leaves it as it was, in blocking mode.
    template <class Open, class Adopt>
    void adopt_with_failures(Open open, Adopt adopt) {
        int failures = 0;
        run([&]() -> task<> {
            failures = fail_each_allocation([&] {
                descriptor mine(open());
                auto adopted = adopt(mine.get());
                if (adopted) {
                    mine.release();
                    return;
                }
                EXPECT_EQ(adopted.error(), std::errc::not_enough_memory);
                const int flags = ::fcntl(static_cast<int>(mine.get()), F_GETFL);
                EXPECT_TRUE(flags >= 0 && !(flags & O_NONBLOCK)) << flags;
            });
            co_return;
        });
        EXPECT_GE(failures, 2) << "the driver's record, and what the owner keeps";
    }

    /// `make` makes something, or nothing.
    template <class Make>
    void make_with_failures(Make make) {
        int failures = 0;
        run([&]() -> task<> {
            failures = fail_each_allocation([&] {
                const auto made = make();
                if (!made) {
                    EXPECT_EQ(made.error(), std::errc::not_enough_memory);
                }
            });
            co_return;
        });
        EXPECT_GE(failures, 2);
    }

    /// `body` is told which allocation is to fail, and tells whether one did.
    template <class Body>
    void await_with_failures(Body body) {
        std::size_t n = 0;
        run([&]() -> task<> {
            for (bool failed = true; failed;) failed = co_await body(++n);
        });
        EXPECT_GE(n, 2U);
    }

    /// What connects to `listener` by `connect` is accepted, or told that it was not.
    template <class Listener, class Connect>
    void accept_with_failures(Listener& listener, Connect connect) {
        await_with_failures([&](std::size_t n) -> task<bool> {
            auto connected = co_await connect();
            auto client = std::move(connected.value());
            failing_allocation one(n);
            auto peer = co_await listener.accept();
            const bool failed = one.failed();
            if (peer) co_return failed;
            EXPECT_EQ(peer.error(), std::errc::not_enough_memory);
            std::byte room[1];
            auto end = co_await client_reads(client, room);
            EXPECT_FALSE(end);
            co_return failed;
        });
    }

    template <class Connect>
    void connect_with_failures(Connect connect) {
        await_with_failures([&](std::size_t n) -> task<bool> {
            failing_allocation one(n);
            auto made = co_await connect();
            if (!made) {
                EXPECT_EQ(made.error(), std::errc::not_enough_memory);
            }
            co_return one.failed();
        });
    }

  private:
    static auto client_reads(byte_stream& client, byte_span room) { return client.read(room); }
    static auto client_reads(message_socket& client, byte_span room) {
        return client.receive(room);
    }
};
UPCALL_FOR_EVERY_LOOP(owners);

native_handle open_socket(int family, int type) { return ::socket(family, type | SOCK_CLOEXEC, 0); }

native_handle open_listener(int family, int type) {
    const native_handle made = open_socket(family, type);
    sockaddr name{};
    name.sa_family = static_cast<sa_family_t>(family);
    // A Unix socket gets a name of the kernel's choice so (unix(7)), a TCP one a port.
    if (family == AF_UNIX) ::bind(static_cast<int>(made), &name, sizeof name.sa_family);
    ::listen(static_cast<int>(made), 1);
    return made;
}

/// One end of a pair; the other is closed.
native_handle open_end(int type) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    ::close(ends[1]);
    return ends[0];
}

native_handle open_reader() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[1]);
    return ends[0];
}

// Went wrong: streams of pipes, listeners and sockets closed what they failed to adopt.
TEST_P(owners, who_adopts_in_vain_keeps_the_descriptor) {
    adopt_with_failures(open_reader, pipe::adopt);
    adopt_with_failures([] { return open_end(SOCK_STREAM); }, tcp::stream::adopt);
    adopt_with_failures([] { return open_end(SOCK_STREAM); }, unix_socket::stream::adopt);
    adopt_with_failures([] { return open_end(SOCK_SEQPACKET); }, unix_socket::sequential::adopt);
    adopt_with_failures([] { return open_end(SOCK_DGRAM); }, unix_socket::datagram::adopt);
    adopt_with_failures([] { return open_socket(AF_INET, SOCK_DGRAM); }, udp::socket::adopt);
    adopt_with_failures([] { return open_listener(AF_INET, SOCK_STREAM); }, tcp::listener::adopt);
    adopt_with_failures([] { return open_listener(AF_UNIX, SOCK_STREAM); },
                        unix_socket::listener::adopt);
    adopt_with_failures([] { return open_listener(AF_UNIX, SOCK_SEQPACKET); },
                        unix_socket::sequential_listener::adopt);
}

TEST_P(owners, what_is_half_made_is_closed) {
    make_with_failures(pipe::open);
    make_with_failures(unix_socket::pair);
    make_with_failures(unix_socket::sequential_pair);
    make_with_failures(unix_socket::datagram::pair);
    make_with_failures(unix_socket::datagram::open);
    make_with_failures([] { return udp::socket::bind(address::loopback(0)); });
    make_with_failures([] { return tcp::listener::bind(address::loopback(0)); });
}

/// `make` binds to a path, whose file is gone afterwards, whether it did or not.
template <class Make>
void bind_with_failures(Make make) {
    const scratch_folder folder;
    const std::string path = folder / "socket";
    const int failures = fail_each_allocation([&] {
        try {
            auto made = make(path);
            if (!made) {
                EXPECT_EQ(made.error(), std::errc::not_enough_memory);
            }
        } catch (const std::bad_alloc&) {  // for its path
        }
        EXPECT_NE(::access(path.c_str(), F_OK), 0);
    });
    EXPECT_GE(failures, 2);
}

TEST_P(owners, files_of_sockets_that_were_not_made_are_removed) {
    run([]() -> task<> {
        bind_with_failures([](const std::string& path) {
            return unix_socket::datagram::bind(path, {.remove_on_close = true});
        });
        bind_with_failures([](const std::string& path) {
            return unix_socket::listener::bind(path, {.remove_on_close = true});
        });
        co_return;
    });
}

TEST_P(owners, accepted_peers_are_taken_or_closed) {
    const scratch_folder folder;
    const std::string stream_path = folder / "stream";
    const std::string sequential_path = folder / "sequential";
    std::optional<tcp::listener> tcp_listener;
    std::optional<unix_socket::listener> listener;
    std::optional<unix_socket::sequential_listener> sequential;
    address where;
    run([&]() -> task<> {
        tcp_listener = tcp::listener::bind(address::loopback(0)).value();
        where = tcp_listener->local_address().value();
        listener = unix_socket::listener::bind(stream_path).value();
        sequential = unix_socket::sequential_listener::bind(sequential_path).value();
        co_return;
    });
    accept_with_failures(*tcp_listener, [&] { return tcp::connect(where); });
    accept_with_failures(*listener, [&] { return unix_socket::connect(stream_path); });
    accept_with_failures(*sequential,
                         [&] { return unix_socket::connect_sequential(sequential_path); });
    // Went wrong: what failed to connect for want of memory threw instead of saying so.
    connect_with_failures([&] { return tcp::connect(where); });
    connect_with_failures([&] { return unix_socket::connect(stream_path); });
    connect_with_failures([&] { return unix_socket::connect_sequential(sequential_path); });
}

TEST_P(owners, what_was_detached_stays_so_until_it_is_attached) {
    run([&]() -> task<> {
        tcp_pair both = co_await connected_pair();
        EXPECT_TRUE(co_await both.here.write_all(bytes_of("some of it")));
        byte_stream& there = both.there;
        std::byte first[4];
        EXPECT_TRUE(co_await there.read_exactly(first));
        auto away = (co_await there.detach()).value();
        away.received.assign(3, std::byte{'!'});  // as if it had arrived before the rest
        std::optional<tcp::stream> back;
        const int failures = fail_each_allocation([&] {
            const native_handle native = away.socket.get();
            auto attached = tcp::stream::attach(away);
            if (attached) {
                back = std::move(*attached);
                return;
            }
            EXPECT_EQ(away.socket.get(), native);
            EXPECT_EQ(away.received.size(), 3U);
        });
        EXPECT_GE(failures, 2);
        std::byte rest[9];
        const transfer got = co_await back->read_exactly(rest);
        EXPECT_TRUE(got);
        EXPECT_EQ(text_of(rest), "!!! of it");
    });
}

}  // namespace
}  // namespace upcall::testing

#endif
