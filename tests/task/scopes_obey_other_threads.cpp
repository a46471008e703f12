// scope::remote: stop and cancel from any thread at any time, also when the scope or loop is gone.
#include <upcall/task/remote_scope.hpp>

#include <atomic>
#include <thread>
#include <upcall/sync/event.hpp>
#include <upcall/task/sleep.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class remote_scopes : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(remote_scopes);

TEST_P(remote_scopes, are_cancelled_and_stopped_while_their_loop_sleeps) {
    run([]() -> task<> {
        event never_set;  // and not a long sleep: virtual time would end it
        for (int round = 0; round < 50; ++round) {
            std::thread thread;
            co_await with_scope([&](scope& tasks) -> task<> {
                thread = std::thread([handle = tasks.remote(), round] {
                    if (round % 2) handle.stop();
                    handle.cancel();
                    handle.cancel();
                });
                EXPECT_EQ((co_await never_set.wait()).error(), errc::cancelled);
            });
            thread.join();
        }
    });
}

TEST_P(remote_scopes, tell_stop_from_cancel) {
    run([]() -> task<> {
        std::thread thread;
        co_await with_scope([&](scope& tasks) -> task<> {
            thread = std::thread([handle = tasks.remote()] { handle.stop(); });
            while (!co_await this_task::stop_requested()) static_cast<void>(co_await sleep(100us));
            EXPECT_EQ(co_await this_task::cancel_requested(), cancel_cause::none);
            EXPECT_TRUE(co_await sleep(1ms));
        });
        thread.join();
    });
}

TEST_P(remote_scopes, survive_their_scopes_and_loops_in_their_handles) {
    constexpr int threads = 4;
    std::atomic<bool> over{false};
    std::atomic<int> asked{0};
    std::vector<std::thread> all;
    {
        scope tasks(home().root());
        tasks.spawn_now([]() -> task<> { static_cast<void>(co_await sleep(1h)); }());
        for (int i = 0; i < threads; ++i)
            all.emplace_back([handle = tasks.remote(), &over, &asked]() mutable {
                while (!over) {
                    remote_scope copy = handle;
                    copy.cancel();
                    copy.stop();
                    handle = copy;
                    ++asked;
                }
            });
        home().run_until([&] { return tasks.size() == 0; });
    }
    for (int before = asked; asked < before + 100;) home().run_ready();
    owned_loop().reset();
    for (int before = asked; asked < before + 100;) std::this_thread::yield();
    over = true;
    for (std::thread& one : all) one.join();
}

}  // namespace
}  // namespace upcall
