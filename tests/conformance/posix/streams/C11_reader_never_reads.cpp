#include <algorithm>
#include <memory>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C11_a_peer_that_never_reads_costs_bounded_memory_and_then_a_deadline) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string chunk(1'000'000, 'x');
        using write = running<decltype(client.write_all(byte_view()))>;
        std::vector<std::unique_ptr<write>> writing;
        // As many wait as may, and the next is told that it may not.
        std::size_t sent = 0;
        for (;;) {
            auto one = std::make_unique<write>(home(), client.write_all(bytes_of(chunk)));
            co_await turns(3);
            if (one->done() && !one->outcome()) {
                EXPECT_EQ(one->outcome().cause, errc::queue_full);
                EXPECT_EQ(one->outcome().bytes, 0U);
                break;
            }
            writing.push_back(std::move(one));
            CO_ASSERT(writing.size() < 1000);
        }
        EXPECT_EQ(std::ranges::count_if(writing, [](auto& one) { return !one->done(); }), 64)
            << "the documented bound";
        for (auto& one : writing) one->cancel(cancel_cause::deadline);
        for (auto& one : writing) {
            co_await one->ended();
            sent += one->outcome().bytes;
            EXPECT_TRUE(one->outcome().cause == errc::deadline_exceeded ||
                        one->outcome().cause == errc::broken_stream || one->outcome())
                << one->outcome().cause.message();
        }
        // What was counted is what the peer gets.
        writing.clear();
        client = {};
        EXPECT_EQ((co_await read_to_end(server)).text.size(), sent);
    });
}

TEST_P(every_form, C11_a_reader_that_falls_behind_holds_few_buffers) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        running receiving(home(), server.receive());
        co_await turns(1);
        const std::string flood(2'000'000, 'x');
        running writing(home(), client.write_all(bytes_of(flood)));
        co_await receiving.ended();
        std::size_t got = receiving.outcome()->size();
        co_await turns(50);
        const std::size_t held = buffers_lent();
        EXPECT_LE(held, 96U) << "what one turn brought, and the rest waits in the kernel";
        co_await turns(50);
        EXPECT_EQ(buffers_lent(), held);
        auto rest = std::string(flood.size() - got, ' ');
        EXPECT_TRUE(co_await server.read_exactly(bytes_in(rest)));
        co_await writing.ended();
        EXPECT_TRUE(writing.outcome());
        receiving.outcome() = failure(errc::closed);  // the lease goes back
    });
}

}  // namespace upcall::test
