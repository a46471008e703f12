// A future held by another thread than its loop's: one outcome, taken once or destroyed on the
// loop, however the two meet.
#include <thread>

#include <upcall/sync/event.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/scope.hpp>

#include "model/model_loop.hpp"

namespace {

using namespace upcall;

/// Notes where it is destroyed; what was moved from counts for nothing.
class noted {
  public:
    struct log {
        int destroyed = 0;
        std::thread::id where;
    };
    explicit noted(log& to) noexcept : to_(&to) {}
    noted(noted&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
    noted& operator=(noted&&) = delete;
    ~noted() {
        if (!to_) return;
        ++to_->destroyed;
        to_->where = std::this_thread::get_id();
    }

  private:
    log* to_;
};

task<noted> made_when(event& told, noted::log& to) {
    static_cast<void>(co_await told.wait());
    co_return noted(to);
}

/// Thread 0 is the loop, thread 1 holds the future.
struct submitted : model::program {
    std::unique_ptr<loop> home = model::make_loop();
    const std::thread::id home_thread = std::this_thread::get_id();
    noted::log log;
    event told;
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    future<noted> held = submit(*tasks, made_when(told, log));
    model::gate let_go;

    virtual void hold() = 0;
    void thread(unsigned which) override {
        if (which == 0) {
            told.set();
            home->run();
            let_go.wait();
            home->run();
            tasks.reset();
            home.reset();
        } else {
            hold();
            let_go.open();
        }
    }
    ~submitted() override { model::check(log.destroyed == 1, "the value is destroyed, once"); }
};

struct dropped : submitted {
    void hold() override { held = {}; }
    ~dropped() override {
        model::check(log.where == home_thread, "a dropped value is destroyed on its loop's thread");
    }
};
MODEL_PROGRAM(futures, dropped, 2)

struct waited_for : submitted {
    void hold() override { model::check(held.get().has_value(), "get has the value"); }
};
MODEL_PROGRAM(futures, waited_for, 2)

struct looked_at : submitted {
    void hold() override {
        if (const auto got = held.try_get()) model::check(got->has_value(), "it has the value");
        held = {};
    }
};
MODEL_PROGRAM(futures, looked_at, 2)

struct cancelled_and_dropped : dropped {
    void hold() override {
        held.cancel();
        held = {};
    }
};
MODEL_PROGRAM(futures, cancelled_and_dropped, 2)

struct cancelled_and_waited_for : submitted {
    void hold() override {
        held.cancel();
        static_cast<void>(held.get());
    }
};
MODEL_PROGRAM(futures, cancelled_and_waited_for, 2)

/// The loop does not wait for the holder: then the value ends where the future does.
struct dropped_while_the_loop_ends : submitted {
    void hold() override { held = {}; }
    void thread(unsigned which) override {
        if (which == 1) return hold();
        told.set();
        home->run();
        tasks.reset();
        home.reset();
    }
};
MODEL_PROGRAM(futures, dropped_while_the_loop_ends, 2)

struct cancelled_while_the_loop_ends : dropped_while_the_loop_ends {
    void hold() override {
        held.cancel();
        held = {};
    }
};
MODEL_PROGRAM(futures, cancelled_while_the_loop_ends, 2)

// ---- on a second loop -----------------------------------------------------------------------

/// Thread 1 has a loop of its own, and a task there awaits the future.
struct awaited_on_another_loop : submitted {
    bool has_value = false;
    int resumed = 0;

    task<> await() {
        const auto got = co_await std::move(held);
        has_value = got.has_value();
        ++resumed;
    }
    virtual void interfere(scope&) {}
    void hold() override {
        const std::unique_ptr<loop> other = model::make_loop();
        scope waiting(other->root());
        waiting.spawn_now(await());
        interfere(waiting);
        other->run();
    }
    ~awaited_on_another_loop() override {
        model::check(resumed == 1, "who awaits it goes on, once");
    }
};

struct awaited : awaited_on_another_loop {
    ~awaited() override { model::check(has_value, "with its value"); }
};
MODEL_PROGRAM(futures, awaited, 2)

/// Cancelling the wait cancels the operation, on its own loop, if there is still time.
struct await_cancelled : awaited_on_another_loop {
    void interfere(scope& waiting) override { waiting.cancel(); }
};
MODEL_PROGRAM(futures, await_cancelled, 2)

}  // namespace
