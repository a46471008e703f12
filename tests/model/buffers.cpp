// Buffers that other threads give back: a loop that starves for one learns of it, and nobody is
// told once the loop has stopped listening.
#include <upcall/base/buffer_pool.hpp>

#include "model/programs.hpp"

namespace {

using upcall::buffer_pool;

/// Thread 0 owns the pool, whose only two buffers the others hold.
struct lent : model::program {
    model::signal told;
    bool stopped = false;  // plain: who tells too late races with it
    std::unique_ptr<buffer_pool> pool = std::make_unique<buffer_pool>(upcall::buffer_pool_options{
        .small_bytes = 64, .small_count = 2, .large_bytes = 64, .large_count = 1});
    std::byte* out[2] = {pool->take_small(), pool->take_small()};

    lent() {
        pool->callback_argument = this;
        pool->on_foreign = [](void* argument) noexcept {
            auto& self = *static_cast<lent*>(argument);
            model::check(!self.stopped, "nobody is told who has stopped listening");
            self.told.raise();
        };
    }
    void give(unsigned which) { pool->give_back(std::exchange(out[which], nullptr)); }
    std::byte* take() {
        for (;;) {
            if (std::byte* got = pool->take_small()) return got;
            told.wait();
            pool->collect_foreign();
        }
    }
};

struct starving_for_one : lent {
    void thread(unsigned which) override {
        if (which == 0)
            pool->give_back(take());
        else
            give(0);
    }
    ~starving_for_one() override { pool->give_back(out[1]); }
};
MODEL_PROGRAM(buffers, starving_for_one, 2)

struct starving_for_both : lent {
    void thread(unsigned which) override {
        if (which == 1) {
            give(0);
            give(1);
            return;
        }
        std::byte* const first = take();
        std::byte* const second = take();
        model::check(first != second, "two buffers are two");
        pool->give_back(first);
        pool->give_back(second);
    }
};
MODEL_PROGRAM(buffers, starving_for_both, 2)

struct starving_while_two_give : lent {
    void thread(unsigned which) override {
        if (which == 0)
            pool->give_back(take());
        else
            give(which - 1);
    }
    ~starving_while_two_give() override {
        model::check(pool->outstanding() == 0, "all buffers are back");
    }
};
MODEL_PROGRAM(buffers, starving_while_two_give, 3)

struct listening_no_more : lent {
    void thread(unsigned which) override {
        if (which == 1) return give(0);
        static_cast<void>(pool->take_small());
        pool->stop_telling();
        stopped = true;
    }
    ~listening_no_more() override { pool->give_back(out[1]); }
};
MODEL_PROGRAM(buffers, listening_no_more, 2)

struct ended_with_the_last_buffer : lent {
    void thread(unsigned which) override {
        if (which == 1) return give(0);
        pool->give_back(std::exchange(out[1], nullptr));
        if (pool->outstanding() == 0) pool.reset();
    }
};
MODEL_PROGRAM(buffers, ended_with_the_last_buffer, 2)

}  // namespace
