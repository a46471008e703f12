#include <atomic>
#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, L1_no_wake_up_from_another_thread_is_lost) {
    constexpr int rounds = 2000;
    std::atomic<int> seen = 0;
    int ran = 0;
    std::thread other([&] {
        for (int round = 0; round < rounds; ++round) {
            EXPECT_TRUE(home().post([&] {
                ++ran;
                seen.store(ran, std::memory_order_release);
            }));
            // Each one finds the loop asleep, or about to sleep.
            while (seen.load(std::memory_order_acquire) <= round) std::this_thread::yield();
        }
    });
    turn_until([&] { return ran == rounds; });
    other.join();
    EXPECT_EQ(ran, rounds);
}

}  // namespace upcall::test
