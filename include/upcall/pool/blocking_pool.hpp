// A bounded pool of threads for calls that always block in the kernel: metadata, syncing, files
// under readiness drivers, name resolution.
//
//     struct job : pool_job { … };
//     my_job.pool_run = [](pool_job& self) noexcept { … };      // on a pool thread
//     if (auto refused = pool.submit(my_job); refused < 0) …
//
// Jobs are linked where they are, so that handing one over allocates nothing. Threads are started
// when there is more to do than they can, up to a limit, and end after they were idle for a while.
// They block all signals. When the system has no thread to give, those that run go on with the
// queue; only if there is none at all, the job is refused with the system's error.
//
// After fork(2) a child has a pool's memory but not its threads: it must not use one that its
// parent made, nor a loop. `shared()` is a new one there.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <upcall/base/list.hpp>
#include <upcall/os/thread.hpp>
#include <upcall/pool/pool_job.hpp>

namespace upcall {

/// The bounds of a pool.
struct pool_options {
    /// The most threads at a time, and so the most jobs that run at a time.
    std::size_t threads_max = 64;
    /// The most jobs that wait for a thread; past it `submit` refuses with errc::queue_full.
    std::size_t queued_max = 65536;
    /// Of each thread. Enough for name resolution, which is the hungriest of the known jobs.
    std::size_t stack_bytes = std::size_t{256} << 10;
    /// How long a thread without a job stays.
    std::chrono::milliseconds idle_for{10'000};
};

/// Every member from any thread.
class blocking_pool {
  public:
    /// Starts no thread yet. Throws std::bad_alloc.
    explicit blocking_pool(const pool_options& options = {});
    blocking_pool(const blocking_pool&) = delete;
    blocking_pool& operator=(const blocking_pool&) = delete;
    /// Waits for the running jobs; none may be queued any more.
    ~blocking_pool();

    /// The pool that loops of this process share unless they are given another. It is never
    /// destroyed: a job that hangs in the kernel would hang the exit of the program.
    static blocking_pool& shared();

    /// Queues a job, first in first out. 0; or a raw error, and then the job will not run:
    /// errc::queue_full, or the errno of starting the first thread.
    std::int64_t submit(pool_job& job) noexcept;

    /// Takes back a job that has not started. True: it will never run. False: it runs, has run, or
    /// was never submitted.
    bool cancel(pool_job& job) noexcept;

    /// Takes back every job that has not started and for which `matches` says yes; they are linked
    /// by `pool_next`. `matches` is called with the pool locked, in linear time.
    pool_job* cancel_matching(bool (*matches)(const pool_job& job, const void* argument) noexcept,
                              const void* argument) noexcept;

    /// For reports; out of date at once.
    struct counts {
        std::size_t threads = 0;
        std::size_t idle = 0;
        std::size_t queued = 0;
        /// Times that the system refused a thread.
        std::size_t threads_refused = 0;
    };
    counts count() noexcept;

    /// What it was made with.
    const pool_options& options() const noexcept { return options_; }

  private:
    enum class slot_state : std::uint8_t { empty, running, ended };
    /// One thread's place; `ended` threads wait to be joined by whoever needs the place next.
    struct slot {
        blocking_pool* home = nullptr;
        os_thread thread;
        slot_state state = slot_state::empty;
    };

    std::int64_t start_thread() noexcept;
    void serve(slot& own) noexcept;
    bool wait_for_job(std::unique_lock<std::mutex>& held) noexcept;

    const pool_options options_;
    std::mutex mutex_;
    std::condition_variable work_;
    queue<pool_job, &pool_job::pool_next> jobs_;
    std::unique_ptr<slot[]> slots_;
    counts counts_;
    std::chrono::steady_clock::time_point refused_until_{};
    bool stopping_ = false;
};

}  // namespace upcall
