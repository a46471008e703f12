#include <fcntl.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I3_a_descriptor_closed_behind_our_back_is_an_error_and_no_crash) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        // A high number, which nobody who opens something meanwhile is given.
        const int number = fcntl(mine.get(), F_DUPFD, 200);
        ::close(mine.release());
        auto stream = tcp::stream::adopt(number).value();
        std::byte byte{};
        running waiting(home(), stream.read({&byte, 1}));
        co_await turns(3);
        ::close(number);
        co_await turns(3);
        if (!waiting.done()) waiting.cancel();
        co_await waiting.ended();
        EXPECT_FALSE(waiting.outcome());
        auto wrote = co_await stream.write_all(bytes_of("x"));
        EXPECT_EQ(wrote.cause, std::errc::bad_file_descriptor);
        auto closed = co_await stream.close();
        CO_ASSERT(!closed);
        EXPECT_EQ(closed.error(), std::errc::bad_file_descriptor);
        auto pair = co_await connected();
        EXPECT_TRUE(co_await pair.client.write_all(bytes_of("others go on")));
    });
}

}  // namespace upcall::test
