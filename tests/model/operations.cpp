// One operation that ends elsewhere, while others ask it to end: it has one outcome, its value if
// it was answered, and else the reason of whoever asked.
#include <chrono>

#include <upcall/task/scope.hpp>
#include <upcall/task/timeout.hpp>

#include "model/answering.hpp"

namespace {

using namespace upcall;
using model::answering_kernel;

/// Thread 0 is the loop, thread 1 answers.
struct asked : model::program {
    answering_kernel::shared seen;
    std::unique_ptr<loop> home = model::make_loop<answering_kernel>(seen);
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    remote_scope remote = tasks->remote();
    result<std::int64_t> outcome = failure(errc::closed);
    int completed = 0;

    virtual task<> wait() {
        outcome = co_await model::ask();
        ++completed;
    }
    /// The operation is under way when the others begin.
    void begin() {
        tasks->spawn_now(wait());
        home->run_ready();
    }
    virtual void end() {
        home->run();
        tasks.reset();
        home.reset();
    }
    virtual void interfere() {}
    void thread(unsigned which) override {
        if (which == 0) return end();
        if (which == 1) return seen.answer_to(0);
        interfere();
    }
    void expect(errc otherwise) {
        model::check(completed == 1, "it has completed, once");
        if (seen.begun[0].answered)
            model::check(outcome == answering_kernel::answer, "it was answered: its value");
        else
            model::check(!outcome && outcome.error() == otherwise, "it was not: the reason");
    }
};

struct answered : asked {
    answered() { begin(); }
    ~answered() override {
        expect(errc::closed);
        model::check(outcome.has_value(), "nobody asked it to end");
    }
};
MODEL_PROGRAM(operations, answered, 2)

struct cancelled_by_another_thread : asked {
    cancelled_by_another_thread() { begin(); }
    void interfere() override { remote.cancel(); }
    ~cancelled_by_another_thread() override { expect(errc::cancelled); }
};
MODEL_PROGRAM(operations, cancelled_by_another_thread, 3)

/// Nothing comes of asking again, nor of asking when it was answered.
struct cancelled_twice_when_answered : asked {
    cancelled_twice_when_answered() { begin(); }
    void thread(unsigned which) override {
        asked::thread(which);
        if (which == 0) return;
        remote.cancel();
        remote.cancel();
    }
    ~cancelled_twice_when_answered() override {
        expect(errc::cancelled);
        model::check(outcome.has_value(), "it was answered first");
    }
};
MODEL_PROGRAM(operations, cancelled_twice_when_answered, 2)

/// Waits for what nobody would miss.
struct stopped_by_another_thread : asked {
    stopped_by_another_thread() { begin(); }
    task<> wait() override {
        outcome = co_await model::ask(nullptr, true);
        ++completed;
    }
    void interfere() override { remote.stop(); }
    ~stopped_by_another_thread() override { expect(errc::cancelled); }
};
MODEL_PROGRAM(operations, stopped_by_another_thread, 3)

struct stopped_with_work_in_hand : asked {
    stopped_with_work_in_hand() { begin(); }
    void interfere() override { remote.stop(); }
    ~stopped_with_work_in_hand() override {
        expect(errc::cancelled);
        model::check(outcome.has_value(), "a stop does not end what is in hand");
    }
};
MODEL_PROGRAM(operations, stopped_with_work_in_hand, 3)

/// The deadline may pass whenever the loop looks.
struct with_a_deadline : asked {
    with_a_deadline() { begin(); }
    task<> wait() override {
        outcome = co_await timeout(std::chrono::milliseconds(1), model::ask());
        ++completed;
    }
    ~with_a_deadline() override { expect(errc::deadline_exceeded); }
};
MODEL_PROGRAM(operations, with_a_deadline, 2)

struct with_a_deadline_and_cancelled : asked {
    with_a_deadline_and_cancelled() { begin(); }
    task<> wait() override {
        outcome = co_await timeout(std::chrono::milliseconds(1), model::ask());
        ++completed;
    }
    void interfere() override { remote.cancel(); }
    ~with_a_deadline_and_cancelled() override {
        const bool late = !outcome && outcome.error() == errc::deadline_exceeded;
        expect(late ? errc::deadline_exceeded : errc::cancelled);
    }
};
MODEL_PROGRAM(operations, with_a_deadline_and_cancelled, 3)

/// Its handle is closed: the record stays until nobody can answer for it any more.
struct abandoned : asked {
    handle on = static_cast<answering_kernel&>(home->via()).open();

    abandoned() { begin(); }
    task<> wait() override {
        outcome = co_await model::ask(on.record());
        ++completed;
    }
    void end() override {
        on.close();
        asked::end();
    }
    ~abandoned() override {
        expect(errc::closed);
        model::check(seen.destroyed == 1, "the handle is gone, once");
    }
};
MODEL_PROGRAM(operations, abandoned, 2)

struct abandoned_and_cancelled : abandoned {
    void interfere() override { remote.cancel(); }
    ~abandoned_and_cancelled() override {
        if (!outcome && outcome.error() == errc::cancelled) outcome = failure(errc::closed);
    }
};
MODEL_PROGRAM(operations, abandoned_and_cancelled, 3)

}  // namespace
