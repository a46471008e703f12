#include <pthread.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, M1_a_storm_of_signals_is_not_noticed) {
    struct sigaction counted{};
    static std::atomic<int> handled = 0;
    handled = 0;
    counted.sa_handler = [](int) { ++handled; };
    struct sigaction before{};
    ::sigaction(SIGUSR1, &counted, &before);  // without SA_RESTART: every call may be interrupted
    std::atomic<bool> enough = false;
    const pthread_t loop_thread = ::pthread_self();
    std::thread storm([&] {
        while (!enough) {
            ::pthread_kill(loop_thread, SIGUSR1);
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
    });
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        auto [client, server] = co_await connected();
        const std::string sent = counted_text(200'000);
        std::string got(sent.size(), ' ');
        int rounds = 0;
        while (handled < 200 || rounds < 5) {
            ++rounds;
            running writing(home(), client.write_all(bytes_of(sent)));
            EXPECT_TRUE(co_await server.read_exactly(bytes_in(got)));
            EXPECT_TRUE(got == sent);
            co_await writing.ended();
            EXPECT_TRUE(writing.outcome());
            const time_point start = home().via().now();
            EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(2)));
            EXPECT_GE(home().via().now() - start, std::chrono::milliseconds(2));
            EXPECT_TRUE(co_await data.write_all_at(bytes_of(sent), 0));
            EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(got), 0));
        }
    });
    enough = true;
    storm.join();
    ::sigaction(SIGUSR1, &before, nullptr);
    EXPECT_GE(handled, 200);
}

}  // namespace upcall::test
