// A scope that other threads stop and cancel: what is asked for takes effect once, on its loop, or
// nowhere when the loop is gone. And the join of its children, however they end.
#include <optional>

#include <upcall/sync/event.hpp>
#include <upcall/task/scope.hpp>

#include "model/answering.hpp"

namespace {

using namespace upcall;

task<> waits(event& never_set, int& ended) {
    static_cast<void>(co_await never_set.wait());
    ++ended;
}

/// Thread 0 is the loop; its task ends only by being cancelled.
struct reached : model::program {
    std::unique_ptr<loop> home = model::make_loop();
    event never_set;
    int ended = 0;
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    remote_scope remotes[2] = {tasks->remote(), tasks->remote()};

    reached() { tasks->spawn_now(waits(never_set, ended)); }
    void end() {
        home->run();
        tasks.reset();
        home.reset();
    }
    void thread(unsigned which) override {
        if (which == 0) return end();
        remotes[which - 1].cancel();
    }
    ~reached() override { model::check(ended == 1, "the task has ended"); }
};

struct cancelled_by_another : reached {};
MODEL_PROGRAM(scopes, cancelled_by_another, 2)

struct stopped_then_cancelled : reached {
    void thread(unsigned which) override {
        if (which == 1) remotes[0].stop();
        reached::thread(which);
    }
};
MODEL_PROGRAM(scopes, stopped_then_cancelled, 2)

/// Who cancels meets a loop that ends by itself.
struct cancelled_while_the_loop_ends : reached {
    void thread(unsigned which) override {
        if (which == 0) tasks->cancel();
        reached::thread(which);
    }
};
MODEL_PROGRAM(scopes, cancelled_while_the_loop_ends, 2)

struct copies_dropped_elsewhere : reached {
    void thread(unsigned which) override {
        if (which == 0) {
            tasks->cancel();
            return end();
        }
        remote_scope copy = remotes[0];
        remotes[1] = copy;
    }
};
MODEL_PROGRAM(scopes, copies_dropped_elsewhere, 2)

/// The last handle may go after the scope, on its own thread.
struct last_handle_dropped_elsewhere : model::program {
    std::unique_ptr<loop> home = model::make_loop();
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    std::optional<remote_scope> remote = tasks->remote();

    void thread(unsigned which) override {
        if (which == 1) {
            remote->stop();
            remote.reset();
            return;
        }
        home->run();
        tasks.reset();
        home.reset();
    }
};
MODEL_PROGRAM(scopes, last_handle_dropped_elsewhere, 2)

// ---- joining --------------------------------------------------------------------------------

/// Three children: two that others answer, one that ends at once.
struct joined : model::program {
    model::answering_kernel::shared seen;
    std::unique_ptr<loop> home = model::make_loop<model::answering_kernel>(seen);
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    remote_scope remote = tasks->remote();
    int values = 0;
    int ended = 0;
    int ended_at_join = -1;

    task<> child(bool asks) {
        if (asks) {
            const auto got = co_await model::ask();
            values += got.has_value();
        }
        ++ended;
    }
    task<> parent() {
        co_await with_scope([this](scope& children) -> task<> {
            children.spawn_now(child(true));
            children.spawn_now(child(true));
            children.spawn_now(child(false));
            co_return;
        });
        ended_at_join = ended;
    }
    joined() {
        tasks->spawn_now(parent());
        home->run_ready();
    }
    void thread(unsigned which) override {
        if (which != 0) return seen.answer_to(which - 1);
        home->run();
        tasks.reset();
        home.reset();
    }
    ~joined() override {
        model::check(ended_at_join == 3, "the join comes behind all its children");
        model::check(values == seen.begun[0].answered + seen.begun[1].answered,
                     "what was answered has its value");
    }
};

struct three_children : joined {};
MODEL_PROGRAM(scopes, three_children, 3)

/// One is answered, and another thread cancels them all.
struct three_children_cancelled : joined {
    void thread(unsigned which) override {
        if (which == 2) return remote.cancel();
        joined::thread(which);
    }
};
MODEL_PROGRAM(scopes, three_children_cancelled, 3)

}  // namespace
