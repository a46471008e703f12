#include <upcall/loop/loop.hpp>

#include <upcall/os/broken_pipe.hpp>

namespace upcall {
namespace {

thread_local loop* current_loop = nullptr;

/// Marks the calling thread as running a loop, for as long as it lives.
class running {
  public:
    explicit running(loop& now) noexcept : before_(std::exchange(current_loop, &now)) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { current_loop = before_; }

  private:
    loop* before_;
};

}  // namespace

loop* loop::current() noexcept { return current_loop; }

loop::loop(loop_options options)
    : buffers_(options.buffers),
      limits_(options.limits),
      choose_(std::move(options.choose)),
      root_(*this, ready_),
      background_(*this, ready_) {
    root_.set_name("main", std::source_location::current());
    background_.set_name("background", std::source_location::current());
    background_.set_background();
}

result<std::unique_ptr<loop>> loop::create(const driver_maker& make, loop_options options) {
    ignore_broken_pipe_signal();
    std::unique_ptr<loop> made;
    try {
        made.reset(new loop(std::move(options)));
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
    auto driver = make({.ready = &made->ready_, .buffers = &made->buffers_});
    if (!driver) return failure(driver.error());
    made->driver_ = std::move(*driver);
    auto wake = [](void* argument) noexcept { static_cast<upcall::driver*>(argument)->wake(); };
    made->mailbox_ = std::make_shared<mailbox>(wake, made->driver_.get());
    made->buffers_.on_foreign = wake;
    made->buffers_.callback_argument = made->driver_.get();
    made->buffers_.on_refill = [](void* argument) noexcept {
        static_cast<upcall::driver*>(argument)->buffers_refilled();
    };
    return made;
}

loop::~loop() {
    if (driver_) {
        running here(*this);
        root_.cancel();
        drain();
        mailbox_->close();
        mailbox_->collect(ready_);
        drain();
        background_.cancel();
        drain();
    }
}

void loop::drain() noexcept {
    const bool last = background_.cancelled() != cancel_cause::none;
    run_until([&] {
        return !alive() && (!last || (background_.operations().empty() && service_tasks_ == 0));
    });
}

bool loop::alive() noexcept {
    return tasks_ > 0 || !ready_.empty() || !root_.operations().empty() || !mailbox_->empty();
}

void loop::run() {
    stop_running_.store(false, std::memory_order_relaxed);
    run_until([this] { return !alive() || stop_running_.load(std::memory_order_relaxed); });
}

void loop::stop_running() noexcept {
    stop_running_.store(true, std::memory_order_relaxed);
    driver_->wake();
}

void loop::turn_ready() noexcept {
    running here(*this);
    mailbox_->collect(ready_);
    for (std::uint32_t left = limits_.resumptions_per_turn; left > 0; --left) {
        ready_node* node = nullptr;
        if (choose_ && ready_.size() > 1)
            node = ready_.pop_at(choose_(ready_.size()));
        else
            node = ready_.pop();
        if (!node) return;
        node->run(*node);
    }
}

void loop::turn_wait(wait mode) noexcept {
    running here(*this);
    const bool idle = mode == wait::allowed && ready_.empty() && mailbox_->empty() &&
                      !stop_running_.load(std::memory_order_relaxed);
    ++turns_;
    driver_->poll(idle ? timers_.next_deadline() : time_point::min());
    now_known_ = false;
    buffers_.collect_foreign();
    mailbox_->collect(ready_);
    if (!timers_.empty()) timers_.fire_due(now());
}

bool loop::turn(wait mode) {
    turn_ready();
    turn_wait(mode);
    return alive();
}

}  // namespace upcall
