#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, B1_a_refused_connection_is_reported) {
    run([&]() -> task<> {
        address nobody;
        {
            auto listener = tcp::listener::bind("127.0.0.1:0").value();
            nobody = listener.local_address().value();
        }
        co_await turns(2);
        auto refused = co_await tcp::connect(nobody);
        CO_ASSERT(!refused);
        EXPECT_EQ(refused.error(), std::errc::connection_refused);
    });
}

}  // namespace upcall::test
