#include <upcall/pool/blocking_pool.hpp>

#include <algorithm>
#include <atomic>

#include <upcall/base/fatal.hpp>
#include <upcall/os/fork.hpp>

namespace upcall {
namespace {

/// Asking for a thread costs a system call or ten; after a refusal, ask no sooner than this.
constexpr std::chrono::milliseconds pause_after_refusal{100};

std::atomic<blocking_pool*> shared_by_all{nullptr};
blocking_pool* of_the_parent = nullptr;

/// In a child of fork: its parent's pool has no threads here, and may be locked.
void forget_shared() noexcept {
    of_the_parent = shared_by_all.exchange(nullptr, std::memory_order_relaxed);
}

}  // namespace

blocking_pool::blocking_pool(const pool_options& options)
    : options_(options), slots_(std::make_unique<slot[]>(options.threads_max)) {
    UPCALL_ASSERT(options.threads_max > 0);
}

blocking_pool::~blocking_pool() {
    {
        const std::lock_guard held(mutex_);
        UPCALL_ASSERT(jobs_.empty());
        stopping_ = true;
    }
    work_.notify_all();
    // No submit may come any more, so the slots change no further but from running to ended.
    for (std::size_t at = 0; at < options_.threads_max; ++at)
        if (slots_[at].thread.joinable()) slots_[at].thread.join();
}

blocking_pool& blocking_pool::shared() {
    blocking_pool* found = shared_by_all.load(std::memory_order_acquire);
    if (found) return *found;
    static const bool watched = (in_forked_children(forget_shared), true);
    static_cast<void>(watched);
    auto made = std::make_unique<blocking_pool>();
    if (shared_by_all.compare_exchange_strong(found, made.get(), std::memory_order_acq_rel))
        found = made.release();
    return *found;
}

std::int64_t blocking_pool::submit(pool_job& job) noexcept {
    const std::lock_guard held(mutex_);
    if (counts_.queued >= options_.queued_max) return raw_error(errc::queue_full);
    // Each queued job has one idle thread spoken for; this one needs another.
    if (counts_.idle <= counts_.queued && counts_.threads < options_.threads_max) {
        const std::int64_t refused = start_thread();
        if (refused < 0 && counts_.threads == 0) return refused;
    }
    jobs_.push(job);
    ++counts_.queued;
    work_.notify_one();
    return 0;
}

bool blocking_pool::cancel(pool_job& job) noexcept {
    const std::lock_guard held(mutex_);
    if (!jobs_.remove(job)) return false;
    --counts_.queued;
    return true;
}

pool_job* blocking_pool::cancel_matching(bool (*matches)(const pool_job&, const void*) noexcept,
                                         const void* argument) noexcept {
    const std::lock_guard held(mutex_);
    queue<pool_job, &pool_job::pool_next> kept;
    queue<pool_job, &pool_job::pool_next> taken;
    while (pool_job* job = jobs_.pop()) {
        if (matches(*job, argument)) {
            taken.push(*job);
            --counts_.queued;
        } else {
            kept.push(*job);
        }
    }
    while (pool_job* job = kept.pop()) jobs_.push(*job);
    return taken.front();
}

blocking_pool::counts blocking_pool::count() noexcept {
    const std::lock_guard held(mutex_);
    return counts_;
}

/// Called with the mutex held: the new thread waits for it first.
std::int64_t blocking_pool::start_thread() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (counts_.threads > 0 && now < refused_until_) return -1;
    slot* free = std::find_if(slots_.get(), slots_.get() + options_.threads_max,
                              [](const slot& at) { return at.state != slot_state::running; });
    // An ended thread has given the mutex up for good, so this does not wait for long.
    if (free->state == slot_state::ended) free->thread.join();
    free->state = slot_state::empty;
    free->home = this;
    auto started = os_thread::start(
        [](void* argument) noexcept {
            auto& own = *static_cast<slot*>(argument);
            own.home->serve(own);
        },
        free, {.name = "upcall pool", .stack_bytes = options_.stack_bytes});
    if (!started) {
        ++counts_.threads_refused;
        refused_until_ = now + pause_after_refusal;
        return -started.error().value();
    }
    free->thread.take(std::move(*started));
    free->state = slot_state::running;
    ++counts_.threads;
    return 0;
}

/// Whether there is a job; false ends the thread.
bool blocking_pool::wait_for_job(std::unique_lock<std::mutex>& held) noexcept {
    ++counts_.idle;
    work_.wait_for(held, options_.idle_for, [this] { return stopping_ || !jobs_.empty(); });
    --counts_.idle;
    return !jobs_.empty();
}

void blocking_pool::serve(slot& own) noexcept {
    std::unique_lock held(mutex_);
    while (wait_for_job(held)) {
        pool_job* job = jobs_.pop();
        --counts_.queued;
        held.unlock();
        job->pool_run(*job);
        held.lock();
    }
    own.state = slot_state::ended;
    --counts_.threads;
}

}  // namespace upcall
