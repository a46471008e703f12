#include <atomic>
#include <thread>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, L7_every_post_before_the_end_runs_and_every_later_one_is_refused) {
    auto ending = another_loop();
    std::atomic<int> ran = 0;
    std::atomic<int> accepted = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> producers;
    auto box = ending->remote();
    struct counted final : ready_node {
        std::atomic<int>* ran = nullptr;
    };
    for (int producer = 0; producer < 4; ++producer)
        producers.emplace_back([&] {
            for (;;) {
                auto node = std::make_unique<counted>();
                node->ran = &ran;
                node->run = [](ready_node& self) noexcept {
                    auto& mine = static_cast<counted&>(self);
                    ++*mine.ran;
                    delete &mine;
                };
                if (!box->post(*node)) {
                    ++refused;
                    return;
                }
                static_cast<void>(node.release());
                ++accepted;
            }
        });
    ending->run_until([&] { return ran > 5000; });
    ending.reset();
    for (std::thread& one : producers) one.join();
    EXPECT_EQ(ran, accepted);
    EXPECT_EQ(refused, 4);
}

}  // namespace upcall::test
