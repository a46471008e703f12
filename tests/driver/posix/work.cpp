// Functions on pool threads, and the wake-ups by which their ends are noticed.
#include <atomic>
#include <thread>

#include <upcall/base/sanitizer.hpp>
#include <upcall/pool/blocking_pool.hpp>

#include "support/driver_test.hpp"
#include "support/latch.hpp"

namespace upcall::test {
namespace {

class work : public driver_test {
  protected:
    struct job : probe {
        work_arguments arguments;
        std::function<void()> body;
        job() {
            kind = op_kind::work;
            data = &arguments;
            arguments.run = [](void* self) noexcept { static_cast<job*>(self)->body(); };
            arguments.argument = this;
        }
    };
    void start_job(job& op) { start(op, nullptr); }
};
UPCALL_FOR_EVERY_DRIVER(work);

TEST_P(work, runs_on_another_thread_and_completes_here) {
    std::thread::id ran_on;
    job op;
    op.body = [&] { ran_on = std::this_thread::get_id(); };
    op.then = [&] { EXPECT_NE(ran_on, std::this_thread::get_id()); };
    start_job(op);
    EXPECT_EQ(bench.finish(op), 0);
    EXPECT_NE(ran_on, std::thread::id());
}

TEST_P(work, many_complete_once_each) {
    std::atomic<int> ran = 0;
    int completed = 0;
    std::vector<job> jobs(2000);
    for (auto& op : jobs) {
        op.body = [&] { ++ran; };
        op.then = [&] { ++completed; };
        start_job(op);
    }
    bench.until([&] { return completed == 2000; });
    EXPECT_EQ(ran, 2000);
}

TEST_P(work, that_is_running_cannot_be_cancelled) {
    testing::latch started(1);
    testing::latch go(1);
    job op;
    op.body = [&] {
        started.count_down();
        go.wait();
    };
    start_job(op);
    started.wait();
    op.request_cancel(cancel_cause::cancelled);
    settle();
    EXPECT_FALSE(op.done());
    go.count_down();
    EXPECT_EQ(bench.finish(op), 0);
}

class narrow_pool : public driver_test {
  protected:
    blocking_pool pool_{pool_options{.threads_max = 1}};
    driver_bench narrow_{[this](driver_environment lent) {
        lent.pool = &pool_;
        return GetParam().make(lent);
    }};
};
UPCALL_FOR_EVERY_DRIVER(narrow_pool);

TEST_P(narrow_pool, work_that_waits_is_cancelled_unseen) {
    testing::latch started(1);
    testing::latch go(1);
    struct notes {
        testing::latch* started;
        testing::latch* go;
        bool ran = false;
    } first{&started, &go}, second{&started, &go};
    const auto run = [](void* argument) noexcept {
        auto& own = *static_cast<notes*>(argument);
        own.ran = true;
        own.started->count_down();
        own.go->wait();
    };
    work_arguments arguments[2] = {{run, &first}, {run, &second}};
    bench_operation ops[2];
    for (int at = 0; at < 2; ++at) {
        ops[at].kind = op_kind::work;
        ops[at].data = &arguments[at];
        ops[at].completions = 0;
        narrow_.start(ops[at]);
    }
    started.wait();
    ops[1].request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(narrow_.finish(ops[1]), -ECANCELED);
    EXPECT_FALSE(second.ran);
    go.count_down();
    EXPECT_EQ(narrow_.finish(ops[0]), 0);
}

class wakes : public driver_test {};
UPCALL_FOR_EVERY_DRIVER(wakes);

TEST_P(wakes, from_many_threads_are_never_lost) {
    constexpr int threads = 4;
    constexpr int each = 25'000;
    std::atomic<int> posted = 0;
    std::vector<std::thread> others;
    for (int at = 0; at < threads; ++at)
        others.emplace_back([&] {
            for (int count = 0; count < each; ++count) {
                posted.fetch_add(1, std::memory_order_release);
                via().wake();
                if (count % 64 == 0) std::this_thread::yield();
            }
        });
    // Every wait is ended by a wake that came after the count was read, or the last would hang.
    while (posted.load(std::memory_order_acquire) < threads * each) via().poll(never);
    for (auto& thread : others) thread.join();
}

TEST_P(wakes, before_the_wait_ends_it_and_only_once) {
    via().wake();
    via().wake();
    via().poll(never);
    const auto deadline = via().now() + std::chrono::milliseconds(2);
    while (via().now() < deadline) via().poll(deadline);
}

#ifdef UPCALL_ASAN
TEST_P(wakes, buffers_of_waiting_reads_are_guarded) {
    auto [left, right] = *via().open_pair(socket_type::stream);
    alignas(8) std::byte bytes[64];
    probe op;
    fill(op, op_kind::read, bytes);
    start(op, left);
    bench.turn();
    EXPECT_TRUE(__asan_address_is_poisoned(bytes));
    EXPECT_EQ(write(right, "x"), 1);
    EXPECT_EQ(bench.finish(op), 1);
    EXPECT_FALSE(__asan_address_is_poisoned(bytes));
}
#endif

}  // namespace
}  // namespace upcall::test
