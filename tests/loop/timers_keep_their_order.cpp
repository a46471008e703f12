// The timer queue against a model of it: a million timers added, removed and fired at random.
#include <upcall/loop/timer_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace upcall {
namespace {

using model = std::multimap<time_point, std::size_t>;

struct timer final : timer_node {
    std::size_t number = 0;
    std::vector<std::size_t>* fired = nullptr;
    model::iterator place;

    timer() {
        fire = [](timer_node& node) noexcept {
            auto& self = static_cast<timer&>(node);
            self.fired->push_back(self.number);
        };
    }
};

class timers : public ::testing::Test {
  protected:
    /// Deadlines of all kinds: near, far, equal, passed, huge.
    time_point some_deadline() {
        switch (random() % 8) {
            case 0:
                return now + duration(random() % 1000);
            case 1:
                return now + std::chrono::microseconds(random() % 1000);
            case 2:
                return now + std::chrono::milliseconds(random() % 8);  // many are equal
            case 3:
                return now - duration(random() % 1000);
            case 4:
                return random() % 64 == 0 ? never : now + std::chrono::hours(random() % 99999);
            case 5:
                return time_point(duration(-static_cast<std::int64_t>(random() % 1000)));
            default:
                return now + std::chrono::microseconds(random() % 100000);
        }
    }

    void add(timer& one) {
        const time_point deadline = some_deadline();
        queue.add(one, deadline);
        // A deadline in the past is no earlier than any other in the past.
        one.place = expected.emplace(std::max(deadline, time_point{}), one.number);
    }
    void remove(timer& one) {
        queue.remove(one);
        expected.erase(one.place);
    }

    void advance(time_point to) {
        now = to;
        fired.clear();
        queue.fire_due(now);
        std::vector<std::size_t> due;
        while (!expected.empty() && expected.begin()->first <= now) {
            due.push_back(expected.begin()->second);
            expected.erase(expected.begin());
        }
        ASSERT_EQ(fired, due) << "in order of deadline, then of adding";
    }

    std::mt19937_64 random{42};
    timer_queue queue;
    model expected;  // equal keys keep the order in which they came
    time_point now = time_point(std::chrono::hours(1000));
    std::vector<std::size_t> fired;
};

TEST_F(timers, a_million_behave_like_the_model) {
    std::vector<timer> all(20000);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].number = i;
        all[i].fired = &fired;
    }
    std::size_t added = 0;
    while (added < 1'000'000) {
        for (int step = 0; step < 1000; ++step) {
            timer& one = all[random() % all.size()];
            if (one.armed()) {
                remove(one);
            } else {
                add(one);
                ++added;
            }
        }
        const time_point next = queue.next_deadline();
        const time_point earliest = expected.empty() ? never : expected.begin()->first;
        ASSERT_LE(next, std::max(earliest, now)) << "never sleeps past a deadline";
        ASSERT_EQ(queue.size(), expected.size());
        ASSERT_NO_FATAL_FAILURE(advance(now + std::chrono::microseconds(random() % 3000)));
    }
    for (timer& one : all)
        if (one.armed()) remove(one);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.next_deadline(), never);
}

TEST_F(timers, the_next_deadline_is_reached_in_few_steps) {
    std::vector<timer> all(100000);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].number = i;
        all[i].fired = &fired;
        queue.add(all[i], now + std::chrono::hours(1) + duration(i));
    }
    int steps = 0;
    for (fired.clear(); fired.empty(); ++steps) {
        const time_point next = queue.next_deadline();
        ASSERT_LE(next, now + std::chrono::hours(1));
        queue.fire_due(next);
    }
    EXPECT_LE(steps, 64) << "at most one wake-up in vain for each bit of a deadline";
    queue.fire_due(now + std::chrono::hours(2));
    EXPECT_EQ(fired.size(), all.size());
}

// Went wrong: the lower bound of the last bucket overflowed, with many timers that never fire.
TEST_F(timers, many_that_never_fire_do_no_harm) {
    std::vector<timer> all(100);
    for (timer& one : all) {
        one.fired = &fired;
        queue.add(one, never);
    }
    EXPECT_GT(queue.next_deadline(), now);
    ASSERT_NO_FATAL_FAILURE(queue.fire_due(now));
    EXPECT_TRUE(fired.empty());
    EXPECT_GT(queue.next_deadline(), now);
    for (timer& one : all) queue.remove(one);
}

/// Does something when it fires.
struct acting final : timer_node {
    std::function<void()> act;
    int times = 0;
    acting() {
        fire = [](timer_node& node) noexcept {
            auto& self = static_cast<acting&>(node);
            ++self.times;
            if (self.act) self.act();
        };
    }
};

TEST_F(timers, may_be_added_and_removed_while_they_fire) {
    acting first;
    acting second;
    acting again;
    first.act = [&] {
        queue.remove(second);  // due as well: it does not fire any more
        if (first.times < 3) queue.add(first, now);
        queue.add(again, now + std::chrono::seconds(first.times));
        if (first.times < 3) queue.remove(again);
    };
    for (int round = 0; round < 3; ++round) {
        if (!first.armed()) queue.add(first, now);
        queue.add(second, now + duration(1));
        queue.fire_due(now + duration(2));
        EXPECT_EQ(first.times, round + 1) << "one added while it fires waits for the next look";
    }
    EXPECT_EQ(second.times, 0);
    queue.fire_due(now + std::chrono::seconds(3));
    EXPECT_EQ(again.times, 1);
    EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace upcall
