#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H14_tens_of_thousands_of_cancellations_at_once_lose_none) {
    constexpr std::size_t streams = 100;
    constexpr int reads_each = 60;
    constexpr int timers = 50'000;
    run([&]() -> task<> {
        std::vector<stream_pair> pairs(streams);
        for (stream_pair& one : pairs) one = co_await connected();
        std::byte room[8];
        int cancelled = 0;
        scope all(home().root());
        auto read = [&](tcp::stream& from) -> task<> {
            if ((co_await from.read(room)).error() == errc::cancelled) ++cancelled;
        };
        auto wait = [&]() -> task<> {
            if ((co_await sleep(std::chrono::hours(1))).error() == errc::cancelled) ++cancelled;
        };
        for (int count = 0; count < reads_each; ++count)
            for (stream_pair& one : pairs) all.spawn_now(read(one.server), "reader");
        for (int count = 0; count < timers; ++count) all.spawn_now(wait(), "timer");
        co_await turns(300);
        all.cancel();
        co_await all.join();
        EXPECT_EQ(cancelled, static_cast<int>(streams) * reads_each + timers);
    });
}

}  // namespace upcall::test
