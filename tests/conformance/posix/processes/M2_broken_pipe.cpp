#include <csignal>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, M2_writing_to_who_is_gone_is_an_error_and_never_a_signal) {
    in_child([&] {
        run([&]() -> task<> {
            auto [mine, peer] = raw_pair();
            auto stream = tcp::stream::adopt(mine.release()).value();
            peer.close();
            EXPECT_EQ((co_await stream.write_all(bytes_of("x"))).cause, std::errc::broken_pipe);
            io_slice pieces[] = {bytes_of("a"), bytes_of("b")};
            EXPECT_EQ((co_await stream.write_all(std::span<io_slice>(pieces))).cause,
                      std::errc::broken_pipe);
            int ends[2];
            EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
            auto pipe = tcp::stream::adopt(ends[1]).value();
            ::close(ends[0]);
            EXPECT_EQ((co_await pipe.write_all(bytes_of("x"))).cause, std::errc::broken_pipe);
        });
    });
}

}  // namespace upcall::test
