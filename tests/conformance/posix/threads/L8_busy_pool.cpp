#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <upcall/pool/blocking_pool.hpp>

#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files,
       L8_work_that_waits_for_a_thread_is_cancelled_and_work_that_runs_is_not) {
    const std::size_t threads = blocking_pool::shared().options().threads_max;
    std::atomic<bool> open = false;
    std::atomic<std::size_t> busy = 0;
    struct gate {
        std::atomic<bool>* open;
        std::atomic<std::size_t>* busy;
    } gate{&open, &busy};
    work_arguments block;
    block.argument = &gate;
    block.run = [](void* argument) noexcept {
        auto& self = *static_cast<struct gate*>(argument);
        ++*self.busy;
        self.open->wait(false);
    };
    run([&]() -> task<> {
        using work = running<request<plain_operation>>;
        std::vector<std::unique_ptr<work>> all;
        for (std::size_t count = 0; count < threads; ++count)
            all.push_back(std::make_unique<work>(home(), plain({op_kind::work, nullptr, &block})));
        while (busy < threads) co_await turns(1);
        running queued(home(), plain({op_kind::work, nullptr, &block}));
        running queued_open(home(), file::open(scratch("data"), open_write | open_create));
        co_await turns(3);
        EXPECT_FALSE(queued.done());
        queued.cancel();
        queued_open.cancel(cancel_cause::deadline);
        all.front()->cancel();
        co_await queued.ended();
        co_await queued_open.ended();
        EXPECT_EQ(queued.outcome().error(), errc::cancelled);
        EXPECT_EQ(queued_open.outcome().error(), errc::deadline_exceeded);
        co_await turns(3);
        EXPECT_FALSE(all.front()->done()) << "it runs, and nobody can stop it";
        open = true;
        open.notify_all();
        for (auto& one : all) {
            co_await one->ended();
            EXPECT_TRUE(one->outcome());
        }
        EXPECT_EQ(busy, threads);
        EXPECT_FALSE(co_await status(scratch("data"))) << "what was cancelled did not happen";
    });
}

}  // namespace upcall::test
