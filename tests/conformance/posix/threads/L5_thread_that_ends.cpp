#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, L5_work_that_a_thread_asked_for_goes_on_when_the_thread_has_ended) {
    auto [mine, peer] = raw_pair();
    std::optional<tcp::stream> stream;
    std::string got;
    scope tasks(home().root());
    auto read = [&]() -> task<> { got = (co_await stream->receive()).value().text(); };
    std::thread([&] {
        EXPECT_TRUE(home().post([&] {
            stream = tcp::stream::adopt(mine.release()).value();
            tasks.spawn_now(read(), "reader");
        }));
    }).join();
    for (int turn = 0; turn < 3; ++turn) home().turn(loop::wait::none);
    EXPECT_EQ(tasks.size(), 1U);
    raw_send(peer, "after its end");
    turn_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(got, "after its end");
}

}  // namespace upcall::test
