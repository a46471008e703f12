#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H13_a_cancelled_parent_resumes_after_its_children_in_every_state) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        int children = 0;
        int left_when_parent_resumed = -1;
        auto count = [&](int& of) { ++of; };
        count(children);
        children = 0;
        std::byte room[8];
        auto reader = [&]() -> task<> {
            ++children;
            EXPECT_EQ((co_await server.read(room)).error(), errc::cancelled);
            co_await turns(0);
            --children;
        };
        auto finished = [&]() -> task<> { co_return; };
        auto nested = [&]() -> task<> {
            ++children;
            auto inner = [&](scope& below) -> task<> {
                below.spawn_now(reader(), "grandchild");
                EXPECT_EQ((co_await sleep_until(never)).error(), errc::cancelled);
                co_await yield();
            };
            co_await with_scope(inner);
            --children;
        };
        auto tidies_up = [&]() -> task<> {
            ++children;
            static_cast<void>(co_await sleep_until(never));
            for (int step = 0; step < 5; ++step) co_await yield();
            --children;
        };
        auto parent = [&]() -> task<> {
            auto body = [&](scope& tasks) -> task<> {
                tasks.spawn_now(reader(), "reader");
                tasks.spawn_now(finished(), "finished");
                tasks.spawn_now(nested(), "nested");
                tasks.spawn_now(tidies_up(), "tidies up");
                static_cast<void>(co_await sleep_until(never));
                tasks.spawn_now(tidies_up(), "started after the cancellation");
            };
            co_await with_scope(body);
            left_when_parent_resumed = children;
        };
        scope top(home().root());
        top.spawn_now(parent(), "parent");
        co_await turns(3);
        EXPECT_EQ(children, 4);
        top.cancel();
        co_await top.join();
        EXPECT_EQ(left_when_parent_resumed, 0);
    });
}

}  // namespace upcall::test
