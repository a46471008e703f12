#include <atomic>
#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, L2_a_post_that_meets_the_end_of_its_loop_is_run_or_refused) {
    for (int round = 0; round < 10; ++round) {
        auto ending = another_loop();
        auto box = ending->remote();
        std::atomic<int> accepted = 0;
        std::atomic<bool> started = false;
        struct counted : ready_node {
            std::atomic<int>* ran = nullptr;
        };
        std::atomic<int> ran = 0;
        std::vector<counted> nodes(20'000);
        std::thread poster([&] {
            for (counted& node : nodes) {
                node.ran = &ran;
                node.run = [](ready_node& self) noexcept { ++*static_cast<counted&>(self).ran; };
                if (!box->post(node)) break;
                ++accepted;
                started = true;
            }
        });
        while (!started) std::this_thread::yield();
        for (int turn = 0; turn < round; ++turn) ending->turn(loop::wait::none);
        ending.reset();
        poster.join();
        EXPECT_EQ(ran, accepted);
        EXPECT_GT(ran, 0);
        counted late;
        late.run = [](ready_node&) noexcept {};
        EXPECT_FALSE(box->post(late));
    }
}

}  // namespace upcall::test
