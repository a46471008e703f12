#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C13_reads_in_flight_are_served_in_the_order_of_starting) {
    constexpr int reads = 16;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        scope reading(home().root());
        std::vector<std::string> got(reads);
        auto read_part = [&](std::size_t part) -> task<> {
            got[part].resize(8);
            EXPECT_TRUE(co_await server.read_exactly(bytes_in(got[part])));
        };
        for (std::size_t part = 0; part < reads; ++part)
            reading.spawn_now(read_part(part), "reader");
        co_await turns(2);
        const std::string sent = counted_text(reads * 8);
        EXPECT_TRUE(co_await client.write_all(bytes_of(sent)));
        co_await reading.join();
        for (std::size_t part = 0; part < reads; ++part)
            EXPECT_EQ(got[part], sent.substr(part * 8, 8)) << "the read number " << part;
    });
}

}  // namespace upcall::test
