// Operations that other threads finish for a driver: each completes once, with what the helper
// wrote, and the driver stays until no helper is inside of it.
#include <upcall/driver/io_operation.hpp>

#include "model/model_loop.hpp"

namespace {

using namespace upcall;

/// Thread 0 is the loop, the others finish an operation each.
struct finished : model::program {
    struct answered final : io_operation {
        finished* of = nullptr;
    };
    std::unique_ptr<loop> home = model::make_loop();
    answered operations[2];
    int completed = 0;
    std::int64_t sum = 0;

    void begin(unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            answered& one = operations[i];
            one.of = this;
            one.run = [](ready_node& node) noexcept {
                auto& op = static_cast<answered&>(node);
                op.retire();
                ++op.of->completed;
                op.of->sum += op.result;
            };
            one.begin(home->root());
            model::check(!home->via().start(one), "it is under way");
        }
    }
    void thread(unsigned which) override {
        if (which == 0) {
            home->run();
            home.reset();
            return;
        }
        answered& mine = operations[which - 1];
        mine.result = which;
        mine.via->finish_elsewhere(mine);
    }
};

struct by_one : finished {
    by_one() { begin(1); }
    ~by_one() override { model::check(completed == 1 && sum == 1, "it has completed, once"); }
};
MODEL_PROGRAM(helpers, by_one, 2)

struct by_two : finished {
    by_two() { begin(2); }
    ~by_two() override { model::check(completed == 2 && sum == 3, "both have completed, once"); }
};
MODEL_PROGRAM(helpers, by_two, 3)

}  // namespace
