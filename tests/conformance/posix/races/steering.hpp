// Races between a cancellation and a value, steered so that both sides win.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace upcall::test {

/// How often a race is run: a million times when UPCALL_SOAK is set.
inline int race_rounds(int usual = 10'000) {
    const char* soak = std::getenv("UPCALL_SOAK");
    return soak && *soak != '0' ? 100 * usual : usual;
}

/// Says in each round how many turns pass before the value is sent, and before it is cancelled.
/// Draws evenly, but helps the side that has won less than a tenth of the rounds.
class steering {
  public:
    static constexpr int turns_most = 4;
    /// Cancel when it is over, whoever long that takes.
    static constexpr int until_done = turns_most + 1;

    /// Turns before the value is sent.
    int send_after() {
        if (cancels_ * 10 < rounds()) return turns_most;
        if (values_ * 10 < rounds()) return 0;
        return static_cast<int>(draw_() % (turns_most + 1));
    }
    /// Turns before the cancellation, or `until_done`.
    int cancel_after() {
        if (cancels_ * 10 < rounds()) return 0;
        if (values_ * 10 < rounds()) return until_done;
        return static_cast<int>(draw_() % (turns_most + 2));
    }
    /// Whether what is due in the same turn starts with the value.
    bool value_first() { return draw_() % 2 == 0; }

    void value_won() { ++values_; }
    void cancel_won() { ++cancels_; }

    /// At the end: each side won at least one round in a hundred.
    void check() const {
        EXPECT_GE(values_ * 100, rounds()) << "the value won too seldom";
        EXPECT_GE(cancels_ * 100, rounds()) << "the cancellation won too seldom";
        testing::Test::RecordProperty("values", values_);
        testing::Test::RecordProperty("cancellations", cancels_);
    }

  private:
    int rounds() const { return values_ + cancels_; }

    int values_ = 0;
    int cancels_ = 0;
    std::minstd_rand draw_{42};
};

}  // namespace upcall::test
