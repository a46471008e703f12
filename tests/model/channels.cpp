// The channel between loops: every value that was taken from a sender is received, once and in
// its order, and a receiver that waits learns of values, of the end and of closing.
#include <upcall/sync/loop_channel.hpp>
#include <upcall/task/scope.hpp>

#include "model/model_loop.hpp"

namespace {

using namespace upcall;

// ---- the ring alone -------------------------------------------------------------------------

struct ring : model::program {
    upcall::detail::crossing_ring<int> slots{2};
    int pushed[3] = {};
    int popped = 0;
    int sum = 0;

    bool push(unsigned which, int value) {
        const bool took = slots.push(value);
        pushed[which] += took ? value : 0;
        return took;
    }
    void pop() {
        if (!slots.ready()) return;
        sum += slots.pop();
        ++popped;
    }
    ~ring() override {
        while (slots.ready()) pop();
        model::check(sum == pushed[0] + pushed[1] + pushed[2], "what was pushed comes out, once");
    }
};

struct one_pushes : ring {
    void thread(unsigned which) override {
        if (which == 0) {
            pop();
            pop();
        } else {
            push(which, 1);
            push(which, 10);
        }
    }
};
MODEL_PROGRAM(channels, one_pushes, 2)

struct one_pushes_past_full : ring {
    void thread(unsigned which) override {
        if (which == 0) {
            pop();
        } else {
            push(which, 1);
            push(which, 10);
            push(which, 100);
        }
    }
};
MODEL_PROGRAM(channels, one_pushes_past_full, 2)

struct two_push : ring {
    void thread(unsigned which) override {
        if (which == 0)
            pop();
        else
            push(which, which == 1 ? 1 : 10);
    }
};
MODEL_PROGRAM(channels, two_push, 3)

// ---- with a loop ----------------------------------------------------------------------------

task<> receives(loop_channel<int>& from, int& sum) {
    while (true) {
        const auto next = co_await from.receive();
        if (!next) break;
        sum += *next;
    }
}

/// Thread 0 is the loop, which receives until all senders are gone.
struct channel : model::program {
    std::unique_ptr<loop> home = model::make_loop();
    std::unique_ptr<loop_channel<int>> values = std::make_unique<loop_channel<int>>(*home, 2);
    std::unique_ptr<scope> tasks = std::make_unique<scope>(home->root());
    std::optional<remote_sender<int>> to[2];
    int received = 0;
    int sent[2] = {};

    channel() { to[0].emplace(values->sender()); }
    void end() {
        home->run();
        tasks.reset();
        values.reset();
        home.reset();
    }
    void send(unsigned by, int value) {
        if (to[by]->try_send(value)) sent[by] += value;
    }
    ~channel() override { model::check(received == sent[0] + sent[1], "what was sent arrives"); }
};

struct one_value_and_the_end : channel {
    void thread(unsigned which) override {
        if (which == 0) {
            tasks->spawn_now(receives(*values, received));
            return end();
        }
        send(0, 1);
        to[0].reset();
    }
};
MODEL_PROGRAM(channels, one_value_and_the_end, 2)

struct only_the_end : channel {
    void thread(unsigned which) override {
        if (which == 0) {
            tasks->spawn_now(receives(*values, received));
            return end();
        }
        to[0].reset();
    }
};
MODEL_PROGRAM(channels, only_the_end, 2)

struct only_the_end_by_two : channel {
    only_the_end_by_two() { to[1].emplace(values->sender()); }
    void thread(unsigned which) override {
        if (which == 0) {
            tasks->spawn_now(receives(*values, received));
            return end();
        }
        to[which - 1].reset();
    }
};
MODEL_PROGRAM(channels, only_the_end_by_two, 3)

struct destroyed_while_one_sends : channel {
    void thread(unsigned which) override {
        if (which == 0) return end();
        send(0, 1);
        to[0].reset();
        sent[0] = 0;  // nobody receives
    }
};
MODEL_PROGRAM(channels, destroyed_while_one_sends, 2)

}  // namespace
