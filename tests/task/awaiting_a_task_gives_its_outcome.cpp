// What a task returns or throws is what its `co_await` returns or throws.
#include <memory>
#include <stdexcept>
#include <string>
#include <upcall/task/sleep.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

class awaiting_a_task : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(awaiting_a_task);

task<std::unique_ptr<std::string>> make(std::string text) {
    co_await yield();
    co_return std::make_unique<std::string>(std::move(text));
}

task<int> fail(bool late) {
    if (late) co_await yield();
    throw std::runtime_error("as planned");
}

TEST_P(awaiting_a_task, hands_over_a_value_that_only_moves) {
    const auto text = run([]() -> task<std::string> { co_return *co_await make("value"); });
    EXPECT_EQ(text, "value");
}

TEST_P(awaiting_a_task, throws_what_the_task_threw) {
    for (const bool late : {false, true})
        run([late]() -> task<> {
            std::string seen;
            try {
                co_await fail(late);
            } catch (const std::runtime_error& thrown) {
                seen = thrown.what();
            }
            EXPECT_EQ(seen, "as planned");
        });
}

TEST_P(awaiting_a_task, does_nothing_before) {
    bool started = false;
    auto body = [](bool& flag) -> task<> {
        flag = true;
        co_return;
    };
    run([&]() -> task<> {
        task<> lazy = body(started);
        co_await yield();
        EXPECT_FALSE(started);
        co_await std::move(lazy);
        EXPECT_TRUE(started);
        task<> dropped = body(started);  // never started: nothing happens when it is destroyed
    });
}

TEST_P(awaiting_a_task, leaves_the_loop_usable_after_an_exception) {
    EXPECT_THROW(run([]() -> task<> { co_await fail(true); }), std::runtime_error);
    EXPECT_EQ(run([]() -> task<int> {
                  co_await yield();
                  co_return 3;
              }),
              3);
}

}  // namespace
}  // namespace upcall
