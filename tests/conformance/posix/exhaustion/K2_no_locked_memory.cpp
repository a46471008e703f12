#include <sys/resource.h>
#include <unistd.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, K2_without_locked_memory_a_loop_works_all_the_same) {
    in_child(
        [&] {
            run([&]() -> task<> {
                auto [client, server] = co_await connected();
                const std::string sent = counted_text(100'000);
                running writing(home(), client.write_all(bytes_of(sent)));
                std::string got;
                while (got.size() < sent.size()) got += (co_await server.receive()).value().text();
                EXPECT_TRUE(got == sent);
                co_await writing.ended();
            });
        },
        [&]() -> std::string {
            const rlimit none{.rlim_cur = 0, .rlim_max = 0};
            if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) return "RLIMIT_MEMLOCK cannot be set";
            // The superuser is not subject to it.
            if (::getuid() == 0 && ::setuid(65534) != 0) return "the user cannot be changed";
            try {
                another_loop();
            } catch (const std::system_error& refused) {
                // As from Linux 6.14. A program that names no driver has to get another one.
                const auto fallback = loop::create(
                    [](const driver_environment& lent) { return make_driver({}, lent); });
                EXPECT_TRUE(fallback) << refused.what();
                if (fallback)
                    return "the kernel charges a ring to RLIMIT_MEMLOCK, and " +
                           std::string((*fallback)->via().name()) + " is chosen instead";
            }
            return "";
        });
}

}  // namespace upcall::test
