// The pool of threads: a job that it takes runs once, on one of its threads, unless it is taken
// back, and then never; what a loop hands to it comes back to the loop.
#include <chrono>
#include <thread>

#include <upcall/pool/blocking_pool.hpp>
#include <upcall/task/run_blocking.hpp>
#include <upcall/task/scope.hpp>

#include "driver/pool_route.hpp"
#include "model/model_loop.hpp"

namespace {

using namespace upcall;
using namespace std::chrono_literals;

pool_options narrow(std::chrono::milliseconds idle_for) {
    return {.threads_max = 1, .queued_max = 4, .stack_bytes = 64 << 10, .idle_for = idle_for};
}

// ---- the pool alone -------------------------------------------------------------------------

/// The last thread is the pool's, as soon as it starts one.
struct pooled : model::program {
    struct job : pool_job {
        pooled* of = nullptr;
        model::signal done;
        int ran = 0;
        int place = 0;
    };
    std::unique_ptr<blocking_pool> pool;
    job jobs[2];
    int order = 0;

    explicit pooled(std::chrono::milliseconds idle_for = 10s)
        : pool(std::make_unique<blocking_pool>(narrow(idle_for))) {
        for (job& one : jobs) {
            one.of = this;
            one.pool_run = [](pool_job& self) noexcept {
                auto& mine = static_cast<job&>(self);
                ++mine.ran;
                mine.place = ++mine.of->order;
                mine.done.raise();
            };
        }
    }
    void hand_over(unsigned which) {
        model::check(pool->submit(jobs[which]) == 0, "the pool takes it");
    }
    void end() {
        pool.reset();
        model::start_no_more();
    }
    virtual void use() = 0;
    void thread(unsigned which) override {
        if (which != 0) return model::be_started();
        use();
        end();
    }
};

struct one_job : pooled {
    void use() override {
        hand_over(0);
        jobs[0].done.wait();
    }
    ~one_job() override { model::check(jobs[0].ran == 1, "it has run, once"); }
};
MODEL_PROGRAM(pools, one_job, 2)

struct two_jobs : pooled {
    void use() override {
        hand_over(0);
        hand_over(1);
        jobs[0].done.wait();
        jobs[1].done.wait();
    }
    ~two_jobs() override {
        model::check(jobs[0].place == 1 && jobs[1].place == 2, "each runs once, in their order");
    }
};
MODEL_PROGRAM(pools, two_jobs, 2)

struct a_job_taken_back : pooled {
    bool taken = false;
    void use() override {
        hand_over(0);
        taken = pool->cancel(jobs[0]);
        if (!taken) jobs[0].done.wait();
    }
    ~a_job_taken_back() override {
        model::check(jobs[0].ran + taken == 1, "it runs once, or was taken back and never does");
    }
};
MODEL_PROGRAM(pools, a_job_taken_back, 2)

struct one_of_two_taken_back : pooled {
    bool taken = false;
    void use() override {
        hand_over(0);
        hand_over(1);
        const auto is_second = [](const pool_job& one, const void* second) noexcept {
            return &one == second;
        };
        pool_job* const got = pool->cancel_matching(is_second, &jobs[1]);
        taken = got == &jobs[1];
        model::check(!got || (taken && !got->pool_next), "that one and no other");
        jobs[0].done.wait();
        if (!taken) jobs[1].done.wait();
    }
    ~one_of_two_taken_back() override {
        model::check(jobs[0].ran == 1 && jobs[1].ran + taken == 1, "the other runs, once");
    }
};
MODEL_PROGRAM(pools, one_of_two_taken_back, 2)

/// The pool's thread may end for want of work at any time: the next job is not left to it.
struct a_job_for_a_thread_that_ends : pooled {
    a_job_for_a_thread_that_ends() : pooled(0ms) {}
    void use() override {
        for (unsigned which = 0; which < 2; ++which) {
            hand_over(which);
            jobs[which].done.wait();
        }
    }
    ~a_job_for_a_thread_that_ends() override {
        model::check(jobs[0].ran == 1 && jobs[1].ran == 1, "both have run, once");
    }
};
MODEL_PROGRAM(pools, a_job_for_a_thread_that_ends, 3)

/// Thread 1 hands over, too.
struct jobs_of_two_threads : pooled {
    model::gate over;
    void use() override {
        hand_over(0);
        jobs[0].done.wait();
        over.wait();
    }
    void thread(unsigned which) override {
        if (which != 1) return pooled::thread(which);
        hand_over(1);
        jobs[1].done.wait();
        over.open();
    }
    ~jobs_of_two_threads() override {
        model::check(jobs[0].ran == 1 && jobs[1].ran == 1, "both have run, once");
    }
};
MODEL_PROGRAM(pools, jobs_of_two_threads, 3)

// ---- with a loop ----------------------------------------------------------------------------

class pooling_kernel final : public model::kernel {
  public:
    pooling_kernel(const driver_environment& lent, blocking_pool& pool) noexcept
        : kernel(lent), route_(*this, &pool) {}
    ~pooling_kernel() override { await_helpers(); }
    void cancel(io_operation& op) noexcept override { route_.cancel(op); }

  protected:
    bool submit(io_operation& op) noexcept override { return route_.submit(op); }

  private:
    pool_route route_;
};

/// Thread 0 is the loop, the last one the pool's.
struct called : model::program {
    std::unique_ptr<blocking_pool> pool = std::make_unique<blocking_pool>(narrow(10s));
    std::unique_ptr<loop> home = model::make_loop<pooling_kernel>(*pool);
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    remote_scope remote = tasks->remote();
    int calls = 0;
    int completed = 0;
    result<int> outcome = failure(errc::closed);

    task<> wait() {
        auto call = [this] { return ++calls; };
        outcome = co_await run_blocking(call);
        ++completed;
    }
    called() { tasks->spawn_now(wait()); }
    void thread(unsigned which) override {
        if (which != 0) return model::be_started();
        home->run();
        tasks.reset();
        home.reset();
        pool.reset();
        model::start_no_more();
    }
    ~called() override {
        model::check(completed == 1 && calls == outcome.has_value(),
                     "it was called once and has its value, or not at all");
    }
};

struct called_on_a_thread : called {
    ~called_on_a_thread() override { model::check(calls == 1, "it was called"); }
};
MODEL_PROGRAM(pools, called_on_a_thread, 2)

/// The call may have begun when the cancellation arrives, and then goes on.
struct call_cancelled_by_another_thread : called {
    void thread(unsigned which) override {
        if (which == 1) return remote.cancel();
        called::thread(which);
    }
    ~call_cancelled_by_another_thread() override {
        model::check(outcome || outcome.error() == errc::cancelled, "its value, or the reason");
    }
};
MODEL_PROGRAM(pools, call_cancelled_by_another_thread, 3)

}  // namespace
