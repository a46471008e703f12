#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B12_out_of_descriptors_accepting_waits_without_spinning_and_resumes) {
    run([&]() -> task<> {
        // The driver's threads, if it has any, are there before the shortage.
        auto early = co_await connected();
        co_await turns(3);  // until its listener is closed
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        std::vector<raw_fd> clients(5);
        for (raw_fd& client : clients) client = raw_socket();
        {
            lowered_limit shortage(RLIMIT_NOFILE, next_descriptor());
            running accepting(home(), listener.accept());
            for (raw_fd& client : clients) raw_connect(client, where);
            co_await turns(3);
            const std::uint64_t before = home().turns();
            EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(100)));
            EXPECT_FALSE(accepting.done());
            EXPECT_LE(home().turns() - before, 50U) << "it tries again now and then, no more";
            accepting.cancel();
            co_await accepting.ended();
        }
        std::size_t served = 0;
        for (raw_fd& client : clients) {
            auto peer = co_await listener.accept();
            CO_ASSERT(peer);
            EXPECT_TRUE(co_await peer->write_all(bytes_of("served")));
            ++served;
            static_cast<void>(client);
        }
        for (raw_fd& client : clients) EXPECT_EQ(raw_receive(client, 0), "served");
        EXPECT_EQ(served, clients.size());
    });
}

TEST_P(every_form, B12_an_accept_that_waits_out_a_shortage_goes_on_by_itself) {
    run([&]() -> task<> {
        auto early = co_await connected();
        co_await turns(3);  // until its listener is closed
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        raw_fd client = raw_socket();
        std::optional<lowered_limit> shortage(std::in_place, RLIMIT_NOFILE, next_descriptor());
        running accepting(home(), listener.accept());
        raw_connect(client, where);
        EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(30)));
        EXPECT_FALSE(accepting.done());
        shortage.reset();
        co_await accepting.ended();
        EXPECT_TRUE(accepting.outcome());
    });
}

}  // namespace upcall::test
