#include <sys/wait.h>
#include <unistd.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, M4_no_descriptor_passes_to_a_program_that_is_executed) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        auto data = (co_await file::open(scratch("data"), open_write | open_create)).value();
        auto pair = home().via().open_pair(socket_type::stream).value();
        auto pipe = home().via().open_pipe().value();
        auto datagrams =
            home().via().open_socket(address_family::ipv4, socket_type::datagram).value();
        running reading(home(), server.receive());
        co_await turns(3);
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        // What the test's own surroundings leave open would pass as well: it is not counted.
        const pid_t child = ::fork();
        if (child == 0) {
            ::dup2(ends[1], 1);
            ::close(ends[0]);
            ::close(ends[1]);
            ::execl("/bin/sh", "sh", "-c", "for fd in /proc/self/fd/*; do readlink $fd; done",
                    nullptr);
            ::_exit(1);
        }
        ::close(ends[1]);
        std::string listed;
        char room[4096];
        for (ssize_t count = 0; (count = ::read(ends[0], room, sizeof room)) > 0;)
            listed.append(room, static_cast<std::size_t>(count));
        ::close(ends[0]);
        EXPECT_EQ(::waitpid(child, nullptr, 0), child);
        EXPECT_NE(listed.find("pipe:"), std::string::npos) << "its standard output at least";
        for (const char* kind : {"socket:", "[eventpoll]", "[io_uring]", "[eventfd]", "data"})
            EXPECT_EQ(listed.find(kind), std::string::npos) << kind << " in\n" << listed;
        EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
        co_await reading.ended();
        reading.outcome() = failure(errc::closed);
    });
}

}  // namespace upcall::test
