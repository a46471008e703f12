#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

// A listener may have accepted more than was asked for. On the simulated kernel those were once
// closed by their number, which is another file's in this process.
TEST_P(every_kernel, B18_closing_a_listener_closes_what_it_had_accepted_ahead) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        running accepting(home(), listener.accept());
        std::vector<tcp::stream> clients;
        for (int at = 0; at < 3; ++at) clients.push_back((co_await tcp::connect(where)).value());
        co_await accepting.ended();
        EXPECT_TRUE(accepting.outcome());
        co_await turns(3);
        listener = {};
        std::byte byte{};
        for (int at = 1; at < 3; ++at) {
            const auto end = co_await clients[static_cast<std::size_t>(at)].read({&byte, 1});
            EXPECT_FALSE(end) << "ended or reset, as the kernel likes";
        }
    });
}

}  // namespace upcall::test
