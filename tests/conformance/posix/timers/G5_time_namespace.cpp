#include <sched.h>
#include <time.h>

#include <fstream>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, G5_a_clock_that_was_moved_before_the_start_does_not_matter) {
    in_child(
        [&] {
            run([&]() -> task<> {
                const time_point before = home().via().now();
                EXPECT_GT(before.time_since_epoch(), std::chrono::hours(24 * 365));
                EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(5)));
                const duration slept = home().via().now() - before;
                EXPECT_GE(slept, std::chrono::milliseconds(5));
                EXPECT_LT(slept, std::chrono::hours(1));
            });
        },
        []() -> std::string {
            if (::unshare(CLONE_NEWTIME) != 0) return "a time namespace needs privileges";
            std::ofstream offsets("/proc/self/timens_offsets");
            offsets << "monotonic 40000000 0\n" << std::flush;
            const raw_fd mine(::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
            if (!offsets || ::setns(mine.get(), CLONE_NEWTIME) != 0)
                return "the clock of a time namespace cannot be moved";
            return "";
        });
}

}  // namespace upcall::test
