#include <fstream>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"

namespace upcall::test {

namespace {

#ifdef UPCALL_TEST_SANITIZED
constexpr std::size_t pages_kept = 2000;  // the sanitizer keeps what was freed for a while
#else
constexpr std::size_t pages_kept = 100;
#endif

std::size_t resident_pages() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident;
}

}  // namespace

TEST_P(every_driver, I9_opening_and_closing_again_and_again_costs_nothing_that_stays) {
    constexpr int cycles = 400;
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        const std::string path = scratch("data");
        std::size_t sockets = 0;
        std::size_t pages = 0;
        for (int half = 0; half < 2; ++half) {
            for (int cycle = 0; cycle < cycles; ++cycle) {
                auto client = (co_await tcp::connect(where)).value();
                auto server = (co_await listener.accept()).value();
                EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
                EXPECT_TRUE(co_await server.receive());
                auto data = (co_await file::open(path, open_write | open_create)).value();
                // Reset, so that no port stays behind in TIME_WAIT.
                EXPECT_TRUE(client.set_option(socket_option::linger_seconds, 0));
            }
            co_await turns(5);
            if (half == 0) {
                sockets = open_sockets();
                pages = resident_pages();
            }
        }
        EXPECT_EQ(open_sockets(), sockets);
        EXPECT_LE(resident_pages(), pages + pages_kept);
    });
}

}  // namespace upcall::test
