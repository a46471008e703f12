#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, A1_operations_that_finish_at_once_do_not_pile_up_on_the_stack) {
    constexpr std::size_t count = 10'000;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string sent = counted_text(count);
        running writing(home(), client.write_all(bytes_of(sent)));
        std::string got;
        for (std::size_t at = 0; at < count; ++at) {
            std::byte one{};
            EXPECT_EQ((co_await server.read({&one, 1})).value(), 1U);
            got += static_cast<char>(one);
        }
        co_await writing.ended();
        EXPECT_EQ(got, sent);
    });
}

}  // namespace upcall::test
