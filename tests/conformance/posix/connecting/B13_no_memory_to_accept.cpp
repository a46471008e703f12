#include <sys/socket.h>

#include <atomic>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"
#include "support/next_call.hpp"

#ifdef UPCALL_TEST_SANITIZED

namespace upcall::test {

TEST_P(every_driver, B13_a_kernel_short_of_memory_or_buffers_delays_accepting_and_loses_nobody) {
    UPCALL_SKIP("the calls that it lets fail are those in which a sanitizer looks on");
}

}  // namespace upcall::test

#else

namespace upcall::test {

namespace {

/// What the next calls of accept4 give, so many times.
std::atomic<int> accept_error = 0;
std::atomic<int> failing_accepts = 0;

}  // namespace
}  // namespace upcall::test

/// Stands before the C library's.
extern "C" int accept4(int listener, sockaddr* peer, socklen_t* size, int flags) {
    namespace test = upcall::test;
    static constinit test::next_call<int(int, sockaddr*, socklen_t*, int)> real("accept4");
    if (test::failing_accepts > 0) {
        --test::failing_accepts;
        errno = test::accept_error;
        return -1;
    }
    return real(listener, peer, size, flags);
}

namespace upcall::test {

TEST_P(every_driver, B13_a_kernel_short_of_memory_or_buffers_delays_accepting_and_loses_nobody) {
    if (runs_on("uring"))
        UPCALL_SKIP("accepting happens in the kernel, which cannot be made to run out of memory");
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        for (const int error : {ENOBUFS, ENOMEM, ENFILE, EINTR, ECONNABORTED, EPROTO}) {
            accept_error = error;
            failing_accepts = 2;
            raw_fd client = raw_connect(where);
            const std::uint64_t before = home().turns();
            auto peer = co_await listener.accept();
            CO_ASSERT(peer);
            EXPECT_EQ(failing_accepts, 0) << error;
            EXPECT_LE(home().turns() - before, 20U) << error;
            EXPECT_TRUE(co_await peer->write_all(bytes_of("served")));
            EXPECT_EQ(raw_receive(client, 0), "served");
        }
    });
}

}  // namespace upcall::test

#endif
