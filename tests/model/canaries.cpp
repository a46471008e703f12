// Programs with a planted bug each, which the checker has to find, and programs whose number of
// executions is known.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "model/programs.hpp"

namespace {

template <class Program>
void finds(const char* what, unsigned threads = 2) {
    const model::outcome all = model::explore<Program>(threads);
    EXPECT_NE(all.failure.find(what), std::string::npos) << all.failure;
}

struct racing : model::program {
    int value = 0;
    void thread(unsigned) override { ++value; }
};
TEST(canaries, a_race_on_plain_memory) { finds<racing>("a data race"); }

struct published_relaxed : model::program {
    int value = 0;
    std::atomic<bool> there{false};
    int got = 1;
    void thread(unsigned which) override {
        if (which == 0) {
            value = 1;
            there.store(true, std::memory_order_relaxed);
        } else if (there.load(std::memory_order_acquire)) {
            got = value;
        }
    }
};
TEST(canaries, a_value_published_without_release) { finds<published_relaxed>("a data race"); }

struct taken_relaxed : model::program {
    std::unique_ptr<int> value;
    std::atomic<int*> there{nullptr};
    void thread(unsigned which) override {
        if (which == 0) {
            value = std::make_unique<int>(1);
            there.store(value.get(), std::memory_order_release);
        } else if (int* seen = there.load(std::memory_order_relaxed)) {
            *seen = 2;
        }
    }
};
TEST(canaries, a_value_taken_without_acquire) { finds<taken_relaxed>("a data race"); }

// Two threads read, add and write back: only one order of six loses none of both.
struct lost_count : model::program {
    std::atomic<int> count{0};
    void thread(unsigned) override { count.store(count.load() + 1); }
    ~lost_count() override { model::check(count == 2, "a count is lost"); }
};
TEST(canaries, an_update_that_is_lost) { finds<lost_count>("a count is lost"); }

struct lost_wake : model::program {
    std::atomic<bool> asleep{false};
    std::atomic<bool> work{false};
    model::signal wake;
    void thread(unsigned which) override {
        if (which == 0) {
            work = true;
            if (asleep) wake.raise();
        } else if (!work) {
            asleep = true;  // and work came before
            wake.wait();
        }
    }
};
TEST(canaries, a_wake_that_is_lost) { finds<lost_wake>("nothing can go on"); }

struct two_locks : model::program {
    std::mutex first;
    std::mutex second;
    void thread(unsigned which) override {
        const std::lock_guard one(which == 0 ? first : second);
        const std::lock_guard other(which == 0 ? second : first);
    }
};
TEST(canaries, locks_taken_in_two_orders) { finds<two_locks>("nothing can go on"); }

struct notified_before : model::program {
    std::mutex mutex;
    std::condition_variable told;
    void thread(unsigned which) override {
        if (which == 0) {
            told.notify_one();
        } else {
            std::unique_lock held(mutex);
            told.wait(held);  // without asking what for
        }
    }
};
TEST(canaries, a_notice_before_the_wait) { finds<notified_before>("nothing can go on"); }

struct freed_early : model::program {
    struct shared {
        std::atomic<int> references{2};
        int value = 0;
    };
    shared* both = new shared;
    void thread(unsigned which) override {
        const bool last = both->references.fetch_sub(1) == 1;
        if (which == 0) {
            if (last) delete both;
        } else {
            both->value = 1;
            if (last) delete both;
        }
    }
};
TEST(canaries, memory_used_after_it_was_given_up) { finds<freed_early>("a data race"); }

struct spins_for_ever : model::program {
    std::atomic<bool> set{false};
    void thread(unsigned which) override {
        if (which == 1)
            while (!set) std::this_thread::yield();
    }
};
TEST(canaries, a_wait_for_what_nobody_does) { finds<spins_for_ever>("nothing can go on"); }

struct leaves_a_block : model::program {
    std::atomic<int*> slot{nullptr};
    void thread(unsigned which) override {
        if (which == 0)
            slot = new int(1);
        else
            delete slot.exchange(nullptr);
    }
};
TEST(canaries, a_block_that_only_some_orders_free) { finds<leaves_a_block>("not freed"); }

// Three threads: the bug needs two of them inside of what the third does.
struct three_in_a_row : model::program {
    std::atomic<int> stage{0};
    bool met = false;
    void thread(unsigned which) override {
        int expected = static_cast<int>(which);
        stage.compare_exchange_strong(expected, expected + 1);
    }
    ~three_in_a_row() override { model::check(stage != 3, "all three came in order"); }
};
TEST(canaries, an_order_of_three_threads) { finds<three_in_a_row>("all three came in order", 3); }

// ---- numbers that are known -----------------------------------------------------------------

template <class Program>
void has(std::uint64_t executions, unsigned threads = 2) {
    const model::outcome all = model::explore<Program>(threads);
    EXPECT_EQ(all.failure, "");
    EXPECT_EQ(all.executions, executions);
}

struct apart : model::program {
    std::atomic<int> of[3] = {};
    void thread(unsigned which) override {
        ++of[which];
        ++of[which];
    }
};
TEST(canaries, steps_that_do_not_touch_have_one_order) { has<apart>(1, 3); }

struct together : model::program {
    std::atomic<int> one{0};
    void thread(unsigned) override {
        ++one;
        ++one;
        ++one;
    }
};
TEST(canaries, three_steps_each_of_two_have_twenty_orders) { has<together>(20); }

struct thrice : model::program {
    std::atomic<int> one{0};
    void thread(unsigned) override {
        ++one;
        ++one;
    }
};
TEST(canaries, two_steps_each_of_three_have_ninety_orders) { has<thrice>(90, 3); }

struct readers : model::program {
    std::atomic<int> one{0};
    void thread(unsigned which) override {
        if (which == 0)
            ++one;
        else
            static_cast<void>(one.load());
    }
};
TEST(canaries, readers_are_ordered_with_the_writer_alone) { has<readers>(4, 3); }

struct locked : model::program {
    std::mutex mutex;
    int value = 0;
    void thread(unsigned) override {
        const std::lock_guard held(mutex);
        ++value;
    }
    ~locked() override { model::check(value == 3, "all three count"); }
};
TEST(canaries, three_holders_of_a_lock_have_six_orders) { has<locked>(6, 3); }

}  // namespace
