#include <cstdlib>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"

namespace upcall::test {

TEST_P(every_driver, K7_a_loop_that_cannot_be_made_leaves_nothing_behind) {
#ifdef UPCALL_TEST_SANITIZED
    UPCALL_SKIP("the sanitizer looks at objects through a pipe, for which it finds no descriptor");
#endif
    if (runs_on("kqueue") && !std::getenv("UPCALL_TEST_QUEUE_OF_EPOLL"))
        UPCALL_SKIP(
            "libkqueue says EBADF or EFAULT where no descriptor is left, and closes its own later");
    const std::size_t open = open_descriptors();
    int refused = 0;
    for (rlim_t extra = 0; extra < 10; ++extra) {
        std::unique_ptr<loop> made;
        {
            lowered_limit few(RLIMIT_NOFILE, next_descriptor() + extra);
            try {
                made = another_loop();
            } catch (const std::system_error& error) {
                EXPECT_EQ(error.code(), std::errc::too_many_files_open) << error.what();
                ++refused;
            }
        }
        if (!made) {
            EXPECT_EQ(open_descriptors(), open);
            continue;
        }
        bool ran = false;
        EXPECT_TRUE(made->post([&] { ran = true; }));
        made->run_until([&] { return ran; });
        break;
    }
    EXPECT_GE(refused, 1);
}

}  // namespace upcall::test
