#include <filesystem>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B19_unix_paths_abstract_names_and_stale_files) {
    run([&]() -> task<> {
        const std::string path = scratch("socket");
        {
            auto listener = unix_socket::listener::bind(path).value();
            auto client = (co_await unix_socket::connect(path)).value();
            auto server = (co_await listener.accept()).value();
            EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
            EXPECT_TRUE(co_await server.receive());
            EXPECT_EQ(unix_socket::listener::bind(path, {.replace_stale = true}).error(),
                      std::errc::address_in_use)
                << "somebody listens";
            EXPECT_TRUE(co_await listener.close());
        }
        EXPECT_TRUE(std::filesystem::exists(path));
        EXPECT_EQ(unix_socket::listener::bind(path).error(), std::errc::address_in_use);
        {
            auto replaced =
                unix_socket::listener::bind(path, {.replace_stale = true, .remove_on_close = true});
            CO_ASSERT(replaced);
            EXPECT_TRUE(co_await unix_socket::connect(path));
            EXPECT_TRUE(co_await replaced->close());
        }
        EXPECT_FALSE(std::filesystem::exists(path));

        const std::string name = "@upcall-conformance-" + GetParam().name;
        auto abstract = unix_socket::listener::bind(name).value();
        EXPECT_TRUE(co_await unix_socket::connect(name));
        const std::string too_long = "/tmp/" + std::string(120, 'n');
        EXPECT_EQ(unix_socket::listener::bind(too_long).error(), std::errc::filename_too_long);
        EXPECT_EQ(co_await error_from(unix_socket::connect(too_long)),
                  std::errc::filename_too_long);
    });
}

}  // namespace upcall::test
