#include <stdexcept>
#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, N4_a_task_goes_on_on_its_own_loop_whatever_was_thrown) {
    run([&]() -> task<> {
        const std::thread::id here = std::this_thread::get_id();
        const std::string path = scratch("data");
        auto fail_elsewhere = [&]() -> task<> {
            // The call runs on a pool's thread, its error is thrown on the loop.
            static_cast<void>((co_await file::open(path + "/absent", open_read)).value());
        };
        for (int round = 0; round < 20; ++round) {
            bool caught = false;
            try {
                co_await fail_elsewhere();
            } catch (const std::bad_expected_access<std::error_code>&) {
                caught = true;
                EXPECT_EQ(std::this_thread::get_id(), here);
                EXPECT_EQ(loop::current(), &home());
            }
            EXPECT_TRUE(caught);
            co_await yield();
            EXPECT_EQ(std::this_thread::get_id(), here);
        }
    });
}

}  // namespace upcall::test
