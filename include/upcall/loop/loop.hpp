// The event loop of one thread: what is ready, what waits for a time, and one driver.
//
// A turn runs what is ready (within a budget), then enters the kernel once, through the driver, to
// hand over what was started and to learn what is done, then looks at the timers. Promise: the
// driver is polled regularly however much is ready. Today's constants stand in `loop_limits`.
#pragma once

#include <array>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#include <upcall/base/clock.hpp>
#include <upcall/base/fatal.hpp>
#include <upcall/base/recycler.hpp>
#include <upcall/driver/driver.hpp>
#include <upcall/loop/mailbox.hpp>
#include <upcall/loop/timer_queue.hpp>
#include <upcall/op/context.hpp>

namespace upcall {

struct close_report;

/// Picks which of `count` ready nodes of one task class runs next, counted from the front. The
/// simulator draws from its seed; without a chooser it is first in, first out.
using chooser = std::function<std::size_t(std::size_t count)>;

/// How long who waits on a loop may have to wait for others. docs/fairness.md says what follows.
struct loop_limits {
    /// Ready nodes that run before the driver is polled again.
    std::uint32_t resumptions_per_turn = 256;
    /// The same as a time. The clock is looked at after as many resumptions as are expected to fit
    /// into an eighth of it, learned from the last ones: after each when they are long, after 32
    /// when they are short.
    duration turn_time = std::chrono::microseconds(500);
    /// How long a task goes on past this_task::checkpoint before others get their turn.
    duration quantum = std::chrono::microseconds(500);
    /// Operations that one resumed task may find done at once before it has to let others run.
    std::uint32_t inline_completions = 128;
};

/// What a loop is made with.
struct loop_options {
    buffer_pool_options buffers{};
    loop_limits limits{};
    chooser choose{};
    /// The loop will be turned by another event loop, which asks for its `native_handle`. With
    /// io_uring this makes the kernel run completions as they come, not when the loop asks.
    bool embedded = false;
    /// Keeps a task_account also while the program has made no task class. With classes they are
    /// kept anyway.
    bool accounts = false;
};

/// What a loop tells a watchdog, which reads it on a thread of its own.
struct loop_activity {
    /// Which handler runs, counted from 1; 0: none does.
    std::atomic<std::uint64_t> handler{0};
    /// Set while the watchdog sleeps: the next turn has to awaken it.
    std::atomic<bool> asleep{false};
    /// Awakens it; called on the loop's thread.
    void (*awaken)(loop_activity&) noexcept = nullptr;
};

/// Makes the driver of a loop from what the loop lends it.
using driver_maker = std::function<result<std::unique_ptr<driver>>(const driver_environment&)>;

/// One thread's loop. Its members are for that thread, where nothing else is said, and it is
/// destroyed there. Owns its driver, its timers and its buffers.
class loop {
  public:
    /// A loop over the driver that `make` makes, on the calling thread, which will run it.
    /// Errors: the maker's; not_enough_memory.
    static result<std::unique_ptr<loop>> create(const driver_maker& make,
                                                loop_options options = {});
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    /// What the unique_ptr from `create` does: cancels what is still in flight, drains it, then
    /// frees. Run on the loop's thread. Streams, listeners and files should be gone before: when
    /// one is left the loop is reported and leaked, so that destroying it later still closes it.
    static void end(loop* self) noexcept;

    /// As the unique_ptr's destructor, which waits for as long as the kernel takes, but waits for
    /// `grace` at most. What is left then is leaked as a whole and on purpose: the loop, its
    /// driver, and the frames of its tasks, which never run again. The report says what it was.
    /// Memory that is not the tasks' own but that they were given, for buffers say, may then not be
    /// freed either, nor may scopes or programs of the loop be destroyed. Called on the loop's
    /// thread, outside of any turn. See loop/close_report.hpp.
    /// `ended` is called once nothing runs any more, before it is looked at what is left: for who
    /// keeps scopes of the loop until then. Must not throw.
    static close_report close(std::unique_ptr<loop> home, duration grace,
                              const std::function<void()>& ended = {});

    /// The loop that runs the caller, or null.
    static loop* current() noexcept;

    /// Whether the caller is on this loop's thread, also outside of any turn.
    bool on_its_thread() const noexcept { return thread_ == std::this_thread::get_id(); }

    /// Turns until `done()`, which is asked before every sleep. Called from outside of any turn.
    template <class Done>
    void run_until(Done done) {
        while (!done()) {
            turn_ready();
            if (done()) break;
            turn_wait(wait::allowed);
        }
        mailbox_->ask_to_be_woken();
    }

    /// The same, but only until `limit`, whatever `done` says. Returns what it said last.
    template <class Done>
    bool run_until(Done done, time_point limit) {
        alarm over(*this, limit);
        bool ended = false;
        run_until([&] { return (ended = done()) || over.rang(); });
        return ended;
    }

    /// The same; and past the limit what takes no waiting is still done: what has ended in the
    /// kernel by then is seen, and what that makes ready runs. A limit that is over already leaves
    /// this much.
    template <class Done>
    bool end_by(Done done, time_point limit) {
        bool ended = run_until(done, limit);
        for (int turns = 0; !ended && turns < turns_past_limit && !ready_.empty(); ++turns) {
            turn_ready();
            turn_wait(wait::none);
            ended = done();
        }
        return ended;
    }

    /// Runs until nothing is left that could ever complete, or `stop_running` was called. Tasks,
    /// operations, posted calls and what is ready count as left; the background does not.
    void run();

    /// Whether a turn may sleep.
    enum class wait { none, allowed };
    /// One turn: what is ready, then one look at the kernel, then the timers; what those two bring
    /// runs in the next turn. Sleeps only if something is left to wait for. Returns whether there
    /// is.
    bool turn(wait mode);
    /// Turns without sleeping until nothing is ready. Returns how many nodes were run.
    std::uint64_t run_ready();

    // ---- inside another event loop ----------------------------------------------------------
    //
    //     auto home = make_loop({}, {.embedded = true}).value();
    //     pollfd inner{.fd = int(home->native_handle().value()), .events = POLLIN, .revents = 0};
    //     for (;;) {
    //         poll(&inner, 1, home->wait_milliseconds());      // or epoll, libuv, GLib …
    //         home->turn(loop::wait::none);
    //     }
    //
    // Before each wait the host asks for the time. Once the descriptor is readable or that time has
    // come it turns the loop, which does not sleep then. A turn more than needed is harmless. What
    // was started on the loop, was posted to it or has completed is not lost: either the descriptor
    // is readable, or the time is in the past. The wait may end with EINTR: by signals as always,
    // and on io_uring by completions, which interrupt a thread that sleeps in the kernel.

    /// The loop as one descriptor, readable while a turn would find something in the kernel, or
    /// might: level-triggered, until the turn that takes it. It stays the loop's, which closes it,
    /// and is the same at each call. The loop's own thread waits for it.
    /// Errors: operation_not_permitted, the loop was made without loop_options::embedded;
    /// unsupported, with the drivers poll, select and sigio, whose set of descriptors is none
    /// itself, by libkqueue, with iocp and with the simulator.
    result<upcall::native_handle> native_handle() noexcept;

    /// When to turn at the latest though the descriptor is not readable: a time on the loop's
    /// clock (CLOCK_MONOTONIC), in the past if there is something to do now; `never`. May be early.
    time_point next_deadline() noexcept;

    /// The same as the argument of poll(2) and epoll_wait(2): from now, rounded up; 0: at once;
    /// -1: no limit.
    int wait_milliseconds() noexcept;

    /// Makes `run` return after the turn in progress, or another call in progress that runs the
    /// loop stop sleeping. While nothing runs it, the next `run` returns at once. Any thread.
    void stop_running() noexcept;

    /// Whether `run` would have something to do or to wait for.
    bool alive() noexcept;

    /// Ready nodes (resumed tasks, posted calls) that were run so far.
    std::uint64_t resumptions() const noexcept { return resumptions_; }

    /// Runs `node` on this loop, after the call that posts it. Any thread; see mailbox::post.
    bool post(ready_node& node) noexcept { return mailbox_->post(node); }

    /// Runs `call()` on this loop. Any thread. Returns false, and destroys `call`, when the loop is
    /// gone. Allocates one recycled block. `call` must not throw.
    template <class Call>
        requires std::is_invocable_v<Call&>
    bool post(Call call);

    /// The box itself, for those who may outlive the loop.
    const std::shared_ptr<mailbox>& remote() const noexcept { return mailbox_; }

    /// Monotonic; read at most once a turn, so it stands still while a task computes.
    time_point now() noexcept {
        if (!now_known_) {
            now_ = driver_->now();
            now_known_ = true;
        }
        return now_;
    }

    /// Turns so far, each with one poll of the driver. A loop that waits does not turn, so this
    /// tells waiting from spinning without a clock.
    std::uint64_t turns() const noexcept { return turns_; }

    /// The time as it is now: what waits for a length of time counts from here.
    time_point read_clock() noexcept {
        now_ = driver_->now();
        now_known_ = true;
        return now_;
    }

    /// Its parts, for who writes operations; they live as long as the loop.
    timer_queue& timers() noexcept { return timers_; }
    driver& via() noexcept { return *driver_; }
    buffer_pool& buffers() noexcept { return *buffers_; }
    ready_queue& ready() noexcept { return ready_; }

    /// The task class of what is in no other, for its account.
    task_class& own_class() noexcept { return ready_.own(); }
    /// Calls `visit(task_class&)` with each class of this loop, its own first.
    template <class Visit>
    void for_each_class(Visit visit) {
        ready_.for_each_class(visit);
    }

    /// Everything that keeps the loop running starts below this context.
    context& root() noexcept { return root_; }
    /// What serves others and ends with the loop: armed sources, signal watchers.
    context& background() noexcept { return background_; }

    /// Keeps which task an exception left first, for the report of who ends by it. `name` is
    /// copied. The same exception again is on its way up through the scopes, and changes nothing.
    void note_failure(const char* name, const std::exception_ptr& why) noexcept;
    /// The name that was noted with `why`; else null.
    const char* failed_task(const std::exception_ptr& why) const noexcept;

    /// Calls `notify(argument)` once nothing has been ready for `after` and there is no timer to
    /// wait for, before the loop goes on waiting; once until something runs again. Null for none.
    void on_quiet(duration after, void (*notify)(void* argument) noexcept,
                  void* argument) noexcept {
        quiet_after_ = after;
        quiet_ = notify;
        quiet_argument_ = argument;
    }

    /// Tells `activity` what runs, from now on; null: nobody.
    void report_to(loop_activity* activity) noexcept { activity_ = activity; }

    // ---- for tasks --------------------------------------------------------------------------

    /// Resumes a coroutine of `where` and, one after the other on the same stack, whatever it says
    /// comes next.
    void resume(std::coroutine_handle<> task, context& where) noexcept {
        ready_.set_running(&where);
        inline_left_ = limits_.inline_completions;
        while (task) {
            task.resume();
            task = std::exchange(next_, {});
        }
        ready_.set_running(nullptr);
    }

    /// Called by a coroutine that is about to suspend: who runs next, in its place.
    void resume_next(std::coroutine_handle<> task) noexcept {
        UPCALL_ASSERT(!next_);
        next_ = task;
    }

    /// Charges the running task for an operation that was done at once. False: it has used up its
    /// share and must let others run.
    bool spend() noexcept {
        if (inline_left_ == 0) return false;
        --inline_left_;
        return true;
    }

    /// For check points of the running task: has the next `spend` refuse when the task's quantum,
    /// which begins with its first check point since it was resumed, is over.
    void look_at_quantum() noexcept {
        const time_point moment = driver_->now();
        if (quantum_of_ != resumptions_) {
            quantum_of_ = resumptions_;
            quantum_end_ = saturating_add(moment, limits_.quantum);
        } else if (moment >= quantum_end_) {
            inline_left_ = 0;
        }
    }

  private:
    /// A timer that keeps a loop from sleeping past a moment.
    class alarm : timer_node {
      public:
        alarm(loop& home, time_point when) noexcept : home_(&home) {
            fire = [](timer_node& node) noexcept { static_cast<alarm&>(node).rang_ = true; };
            if (when != never) home.timers_.add(*this, when);
        }
        alarm(const alarm&) = delete;
        alarm& operator=(const alarm&) = delete;
        ~alarm() {
            if (armed()) home_->timers_.remove(*this);
        }
        bool rang() const noexcept { return rang_; }

      private:
        loop* home_;
        bool rang_ = false;
    };

    /// What does not end by then, though it was cancelled, would go on for ever.
    static constexpr int turns_past_limit = 200;

    explicit loop(loop_options options);
    ~loop() = default;
    bool wind_down(time_point limit) noexcept;
    static void leak(loop& self) noexcept;

    void turn_ready() noexcept;
    void turn_wait(wait mode) noexcept;
    void run_some() noexcept;
    void look_for_post() noexcept;
    void run_classes() noexcept;
    template <bool Measured>
    std::uint32_t run_from(task_class& one, std::uint32_t most) noexcept;
    void wait_for_quiet() noexcept;

    const std::thread::id thread_ = std::this_thread::get_id();
    ready_queue ready_;
    std::unique_ptr<buffer_pool, buffer_pool::unless_leased> buffers_;
    loop_limits limits_;
    chooser choose_;
    const bool embedded_;
    std::unique_ptr<driver> driver_;
    std::shared_ptr<mailbox> mailbox_;
    timer_queue timers_;
    time_point now_{};
    bool now_known_ = false;
    /// A call was posted since the loop last looked for one before it slept.
    bool posted_to_ = false;
    std::atomic<bool> stop_running_{false};
    std::uint32_t inline_left_ = 0;
    std::uint32_t look_in_ = 1;  // resumptions until the clock is looked at
    detail::clock_interval interval_;
    std::uint64_t quantum_of_ = ~std::uint64_t{0};
    time_point quantum_end_{};
    std::uint64_t turns_ = 0;
    std::uint64_t resumptions_ = 0;
    loop_activity* activity_ = nullptr;
    void (*quiet_)(void* argument) noexcept = nullptr;
    void* quiet_argument_ = nullptr;
    duration quiet_after_{};
    /// Resumptions when the quiet began, and when it was told of.
    std::uint64_t quiet_since_ = ~std::uint64_t{0};
    std::uint64_t quiet_told_ = ~std::uint64_t{0};
    time_point quiet_until_{};
    std::coroutine_handle<> next_;
    std::exception_ptr failure_;
    std::array<char, 48> failed_task_{};
    context root_;
    context background_;
    loop* leaked_before_ = nullptr;
};

}  // namespace upcall

template <>
struct std::default_delete<upcall::loop> {
    void operator()(upcall::loop* ended) const noexcept { upcall::loop::end(ended); }
};

namespace upcall {
namespace detail {

template <class Call>
struct posted_call final : ready_node, recycled {
    Call call;

    explicit posted_call(Call&& moved) : call(std::move(moved)) {
        run = [](ready_node& node) noexcept {
            auto& self = static_cast<posted_call&>(node);
            Call mine(std::move(self.call));
            delete &self;
            mine();
        };
    }
};

}  // namespace detail

template <class Call>
    requires std::is_invocable_v<Call&>
bool loop::post(Call call) {
    auto node = std::make_unique<detail::posted_call<Call>>(std::move(call));
    if (!mailbox_->post(*node)) return false;
    node.release();
    return true;
}

}  // namespace upcall
