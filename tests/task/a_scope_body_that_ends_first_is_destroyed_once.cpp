// Regression: the awaitable that ran a scope's body owned it as a member of an aggregate, which
// GCC 12 destroys twice; the frame's memory then served two coroutines at once.
#include <gtest/gtest.h>

#include <upcall/runtime/run.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>

namespace upcall {
namespace {

struct counted {
    explicit counted(int& alive) : alive_(&alive) { ++*alive_; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --*alive_; }
    int* alive_;
};

task<> hold(int& alive) {
    counted mine(alive);
    co_await yield();
}

task<> body_ends_first(int& alive) {
    co_await with_scope([&](scope& children) -> task<> {
        counted mine(alive);
        for (int i = 0; i < 10; ++i) children.spawn_now(hold(alive), "hold");
        co_return;
    });
}

TEST(scope_body, is_destroyed_once) {
    int alive = 0;
    EXPECT_EQ(run(body_ends_first(alive)), 0);
    EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace upcall
