#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, N6_what_a_scopes_body_captured_lives_as_long_as_its_children) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::string got;
        // The body has a capture of its own, and its children refer to both. It is no temporary of
        // the awaiting expression, as GCC 12 destroys that one twice.
        auto body = [&, prefix = std::string("a prefix too long for a small string: ")](
                        scope& tasks) -> task<> {
            auto read = [&]() -> task<> {
                auto text = co_await server.receive();
                got = prefix + std::string(text.value().text());
            };
            tasks.spawn_now(read(), "reader");
            co_await turns(2);
            EXPECT_TRUE(co_await client.write_all(bytes_of("text")));
            co_await tasks.join();
        };
        co_await with_scope(std::move(body));
        EXPECT_EQ(got, "a prefix too long for a small string: text");
    });
}

}  // namespace upcall::test
