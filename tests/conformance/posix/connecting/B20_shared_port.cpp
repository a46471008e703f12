#include <thread>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B20_when_one_of_two_loops_on_a_port_ends_the_other_serves_on) {
    run([&]() -> task<> {
        tcp::listen_options shared;
        shared.reuse_port = true;
        auto mine = tcp::listener::bind("127.0.0.1:0", shared).value();
        const address where = mine.local_address().value();
        std::atomic<bool> listens = false;
        std::atomic<bool> enough = false;
        std::thread other([&] {
            auto there = another_loop();
            auto serve = [&]() -> task<> {
                auto theirs = tcp::listener::bind(where, shared).value();
                listens = true;
                while (!enough) static_cast<void>(co_await sleep(std::chrono::milliseconds(1)));
            };
            scope tasks(there->root());
            tasks.spawn_now(serve(), "other");
            there->run_until([&] { return tasks.size() == 0; });
        });
        while (!listens) static_cast<void>(co_await sleep(std::chrono::milliseconds(1)));
        enough = true;
        other.join();
        std::vector<raw_fd> clients;
        for (int count = 0; count < 20; ++count) {
            clients.push_back(raw_connect(where));
            EXPECT_TRUE(co_await mine.accept());
        }
    });
}

}  // namespace upcall::test
