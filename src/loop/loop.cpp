#include <upcall/loop/loop.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>

#include <upcall/os/broken_pipe.hpp>

namespace upcall {
namespace {

thread_local loop* current_loop = nullptr;

/// Loops that had to stay, so that a search for leaks, too, finds them spoken for.
constinit std::atomic<loop*> last_leaked{nullptr};

// Looks for the next post before a loop falls asleep that was just posted to: about a microsecond.
// Plain looks: the instruction that tells a processor of waiting takes longer than the answer.
constexpr int looks_for_post = 1000;

// A look at the clock costs as much as a few resumptions: as many run between two as are expected
// to fit into this part of a turn.
constexpr int goals_per_turn = 8;

// When no more fit than these, a turn begins with a look at the clock.
constexpr std::uint32_t few_handlers = 4;

/// Marks the calling thread as running a loop, for as long as it lives.
class running {
  public:
    explicit running(loop& now) noexcept : before_(std::exchange(current_loop, &now)) {
        if (before_ == &now) fatal("a loop was run, turned or destroyed from inside itself");
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { current_loop = before_; }

  private:
    loop* before_;
};

}  // namespace

loop* loop::current() noexcept { return current_loop; }

loop::loop(loop_options options)
    : buffers_(new buffer_pool(options.buffers)),
      limits_(options.limits),
      choose_(std::move(options.choose)),
      embedded_(options.embedded),
      root_(*this, ready_),
      background_(*this, ready_) {
    root_.set_name("main", std::source_location::current());
    background_.set_name("background", std::source_location::current());
    if (options.accounts) ready_.keep_accounts();
}

result<std::unique_ptr<loop>> loop::create(const driver_maker& make, loop_options options) {
    ignore_broken_pipe_signal();
    try {
        std::unique_ptr<loop> made(new loop(std::move(options)));
        auto driver = make({.ready = &made->ready_,
                            .buffers = made->buffers_.get(),
                            .pool = nullptr,
                            .embedded = made->embedded_});
        if (!driver) return failure(driver.error());
        made->driver_ = std::move(*driver);
        auto wake = [](void* argument) noexcept { static_cast<upcall::driver*>(argument)->wake(); };
        made->mailbox_ = std::make_shared<mailbox>(wake, made->driver_.get());
        made->buffers_->on_foreign = wake;
        made->buffers_->callback_argument = made->driver_.get();
        made->buffers_->on_refill = [](void* argument) noexcept {
            static_cast<upcall::driver*>(argument)->buffers_refilled();
        };
        return made;
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
}

// What runs in the background serves the rest, so it ends last; both end before the mailbox, by
// which other loops answer them. Calls that come in meanwhile run when there is a turn, and what is
// left of them when no more can come. To wait for an empty box before it is closed would let those
// who post without end keep the loop alive.
bool loop::wind_down(time_point limit) noexcept {
    if (!mailbox_) return true;  // it was never made whole
    failure_ = nullptr;          // what the exception owns may belong to this loop
    root_.cancel();
    end_by([&] { return !root_.busy(); }, limit);
    background_.cancel();
    end_by([&] { return !background_.busy(); }, limit);
    mailbox_->close();
    const bool ended = end_by(
        [&] { return ready_.empty() && mailbox_->empty() && !root_.busy() && !background_.busy(); },
        limit);
    if (!ended) return false;
    // What comes back from here on has no driver to tell.
    buffers_->stop_telling();
    return true;
}

void loop::leak(loop& self) noexcept {
    self.leaked_before_ = last_leaked.exchange(&self, std::memory_order_relaxed);
}

void loop::end(loop* self) noexcept {
    self->wind_down(never);
    if (const auto left = self->driver_ ? self->driver_->open_handles() : 0; left > 0) {
        std::fprintf(stderr,
                     "upcall: %zu streams, listeners or files outlived their loop, which is "
                     "leaked; destroy them first\n",
                     left);
        return leak(*self);
    }
    delete self;
}

bool loop::alive() noexcept { return !ready_.empty() || root_.busy() || !mailbox_->empty(); }

void loop::note_failure(const char* name, const std::exception_ptr& why) noexcept {
    if (failure_ == why) return;
    failure_ = why;
    std::snprintf(failed_task_.data(), failed_task_.size(), "%s", name);
}

const char* loop::failed_task(const std::exception_ptr& why) const noexcept {
    return why && failure_ == why ? failed_task_.data() : nullptr;
}

void loop::run() {
    run_until([this] { return stop_running_.load(std::memory_order_relaxed) || !alive(); });
    stop_running_.store(false, std::memory_order_relaxed);
}

bool loop::turn(wait mode) {
    turn_ready();
    turn_wait(alive() ? mode : wait::none);
    stop_running_.store(false, std::memory_order_relaxed);
    mailbox_->ask_to_be_woken();
    return alive();
}

result<native_handle> loop::native_handle() noexcept {
    if (!embedded_) return failure(std::make_error_code(std::errc::operation_not_permitted));
    return driver_->pollable();
}

// A post that comes after the box was found empty wakes, by the descriptor.
time_point loop::next_deadline() noexcept {
    if (!ready_.empty() || !mailbox_->ask_to_be_woken()) return time_point::min();
    return std::min(driver_->poll_again_by(), timers_.next_deadline());
}

int loop::wait_milliseconds() noexcept {
    const time_point until = next_deadline();
    if (until == never) return -1;
    const time_point moment = driver_->now();
    if (until <= moment) return 0;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - moment).count();
    return static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max()));
}

std::uint64_t loop::run_ready() {
    const std::uint64_t before = resumptions_;
    do {
        turn_ready();
        turn_wait(wait::none);
    } while (!ready_.empty());
    mailbox_->ask_to_be_woken();
    return resumptions_ - before;
}

void loop::stop_running() noexcept {
    stop_running_.store(true, std::memory_order_relaxed);
    driver_->wake();
}

void loop::turn_ready() noexcept {
    running here(*this);
    posted_to_ |= mailbox_->collect(ready_);
    // A turn without handlers runs none: told again in the next, one would seem to go on.
    if (activity_ && !ready_.empty()) {
        activity_->handler.store(resumptions_ + 1, std::memory_order_seq_cst);
        if (activity_->asleep.load(std::memory_order_seq_cst)) activity_->awaken(*activity_);
    }
    run_some();
    if (activity_) activity_->handler.store(0, std::memory_order_relaxed);
}

/// Runs up to `most` of what is ready of one class; a class that is measured may be gone meanwhile.
template <bool Measured>
std::uint32_t loop::run_from(task_class& one, std::uint32_t most) noexcept {
    std::uint32_t ran = 0;
    while (ran < most && (!Measured || ready_.serves(one))) {
        ready_node* node = nullptr;
        if (choose_ && one.size() > 1)
            node = one.pop_at(choose_(one.size()));
        else
            node = one.pop();
        if (!node) break;
        ++ran;
        ++resumptions_;
        if (activity_) activity_->handler.store(resumptions_, std::memory_order_relaxed);
        node->run(*node);
    }
    return ran;
}

// When the clock is first looked at in a turn nothing is known of how long what ran before took, so
// the next handler is measured alone. Where handlers are long, the beginning is looked at, too.
void loop::run_some() noexcept {
    if (ready_.measured()) [[unlikely]]
        return run_classes();
    std::uint32_t left = limits_.resumptions_per_turn;
    time_point looked = never;
    time_point end = never;
    std::uint32_t since = 0;
    if (interval_.handlers() <= few_handlers) {
        looked = driver_->now();
        end = saturating_add(looked, limits_.turn_time);
        look_in_ = interval_.handlers();
    }
    while (left > 0) {
        const std::uint32_t ran = run_from<false>(ready_.own(), std::min(left, look_in_));
        left -= ran;
        look_in_ -= ran;
        since += ran;
        const bool over = look_in_ > 0;
        if (over && looked == never) return;
        if (over && (since == 0 || interval_.handlers() > few_handlers)) return;
        const time_point moment = driver_->now();
        if (looked == never) {
            end = saturating_add(moment, limits_.turn_time);
            look_in_ = 1;
        } else {
            interval_.learn(since, moment - looked, limits_.turn_time / goals_per_turn);
            look_in_ = interval_.handlers();
        }
        if (over || moment >= end) return;
        looked = moment;
        since = 0;
    }
}

void loop::run_classes() noexcept {
    std::uint32_t left = limits_.resumptions_per_turn;
    time_point moment = driver_->now();
    const time_point end = saturating_add(moment, limits_.turn_time);
    ready_.begin(moment);
    while (left > 0) {
        task_class* one = ready_.pick(moment);
        if (!one) return;
        const std::uint32_t ran = run_from<true>(*one, std::min(left, one->stretch()));
        left -= ran;
        moment = driver_->now();
        ready_.charge(ran, moment, limits_.turn_time / goals_per_turn);
        if (moment >= end) return;
    }
}

void loop::turn_wait(wait mode) noexcept {
    running here(*this);
    if (posted_to_ && mode == wait::allowed && ready_.empty()) look_for_post();
    const bool idle = mode == wait::allowed && ready_.empty() && mailbox_->ask_to_be_woken();
    ++turns_;
    if (idle && quiet_ && quiet_told_ != resumptions_ && timers_.empty())
        wait_for_quiet();
    else
        driver_->poll(idle ? timers_.next_deadline() : time_point::min());
    now_known_ = false;
    buffers_->collect_foreign();
    posted_to_ |= mailbox_->collect(ready_);
    if (!timers_.empty()) timers_.fire_due(now());
}

// Threads that post one call after the other, each when the last has run, post the next one sooner
// than a loop can fall asleep and be woken. Nobody else pays: without a post in the turn before the
// loop sleeps at once, as it does when a chooser decides, under which no other thread posts.
void loop::look_for_post() noexcept {
    posted_to_ = false;
    if (choose_) return;
    for (int looks = 0; looks < looks_for_post && mailbox_->empty();) ++looks;
}

// A poll that ends before its time may have brought nothing to run: then the rest is waited for.
void loop::wait_for_quiet() noexcept {
    if (quiet_since_ != resumptions_) {
        quiet_since_ = resumptions_;
        quiet_until_ = saturating_add(driver_->now(), quiet_after_);
    }
    driver_->poll(quiet_until_);
    if (!ready_.empty() || driver_->now() < quiet_until_) return;
    quiet_told_ = resumptions_;
    quiet_(quiet_argument_);
}

}  // namespace upcall
