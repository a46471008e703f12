#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/next_call.hpp"

namespace upcall::test {

namespace {

constexpr long enter_call = 426;

/// Of the calls that enter the ring, one in so many fails; 0: none. Which error comes next.
std::atomic<int> failing_enters = 0;
std::atomic<unsigned> enters = 0;
std::atomic<int> failed_enters = 0;
std::atomic<bool> submits_one_at_a_time = false;

}  // namespace
}  // namespace upcall::test

/// Stands before the C library's: the kernel's rare answers come when a test asks for them.
extern "C" long syscall(long number, ...) noexcept {
    namespace test = upcall::test;
    static constinit test::next_call<test::system_call> real("syscall");
    va_list list;
    va_start(list, number);
    test::call_arguments given(list);
    va_end(list);
    const int one_in = test::failing_enters.load(std::memory_order_relaxed);
    if (number == test::enter_call && one_in > 0) {
        const unsigned count = test::enters.fetch_add(1);
        if (count % static_cast<unsigned>(one_in) == 0) {
            constexpr int errors[] = {EINTR, EAGAIN, EBUSY};
            errno = errors[test::failed_enters.fetch_add(1) % 3];
            return -1;
        }
    }
    if (number == test::enter_call && test::submits_one_at_a_time && given.at[1] > 1) {
        given.at[1] = 1;
        given.at[2] = 0;  // does not wait for what it has not submitted
    }
    return given.pass_to(real, number);
}

namespace upcall::test {

TEST_P(every_driver, J3_a_kernel_that_refuses_or_takes_half_is_asked_again) {
    if (!runs_on("uring"))
        UPCALL_SKIP("it hands its operations over one by one, there is no batch");
    for (const bool one_at_a_time : {false, true}) {
        failed_enters = 0;
        submits_one_at_a_time = one_at_a_time;
        failing_enters = one_at_a_time ? 0 : 3;
        run([&]() -> task<> {
            std::vector<stream_pair> pairs(10);
            for (stream_pair& one : pairs) one = co_await connected();
            auto data = (co_await file::open(scratch("data"), open_read | open_write | open_create))
                            .value();
            for (int round = 0; round < 30; ++round) {
                scope all(home().root());
                auto exchange = [&](stream_pair& with) -> task<> {
                    EXPECT_TRUE(co_await with.client.write_all(bytes_of("ping")));
                    std::string got(4, ' ');
                    EXPECT_TRUE(co_await with.server.read_exactly(bytes_in(got)));
                };
                auto write = [&](std::uint64_t at) -> task<> {
                    EXPECT_TRUE(co_await data.write_all_at(bytes_of("data"), at * 4));
                };
                for (stream_pair& one : pairs) all.spawn_now(exchange(one), "stream");
                for (std::uint64_t at = 0; at < 10; ++at) all.spawn_now(write(at), "file");
                co_await all.join();
            }
        });
        failing_enters = 0;
        submits_one_at_a_time = false;
        if (!one_at_a_time) {
            EXPECT_GT(failed_enters, 10);
        }
    }
}

}  // namespace upcall::test
