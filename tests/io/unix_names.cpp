// The names of Unix sockets: paths, abstract ones, ones that are in the way.
#include <filesystem>
#include <fstream>
#include <upcall/io/unix.hpp>

#include "pairs.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

class unix_names : public io_test {};
UPCALL_FOR_EVERY_LOOP(unix_names);

task<> exchange(unix_socket::listener& listener, std::string path) {
    auto here = (co_await unix_socket::connect(path)).value();
    auto there = (co_await listener.accept()).value();
    EXPECT_TRUE(co_await here.write_all(bytes_of("hello")));
    EXPECT_EQ((co_await there.receive()).value().text(), "hello");
    EXPECT_EQ(here.peer_address().value().path(), path);
    EXPECT_EQ(there.identify_peer().value().user, ::geteuid());
}

TEST_P(unix_names, paths_and_abstract_names) {
    run([]() -> task<> {
        const scratch_folder folder;
        const std::string path = folder / "socket";
        auto by_path = unix_socket::listener::bind(path).value();
        co_await exchange(by_path, path);
        const std::string name = "@upcall test " + path;
        auto by_name = unix_socket::listener::bind(name).value();
        EXPECT_EQ(by_name.local_address().value().path(), name);
        co_await exchange(by_name, name);
        EXPECT_EQ(unix_socket::listener::bind(name).error(), std::errc::address_in_use);
        // An abstract name is gone with its socket, a file is not.
        EXPECT_TRUE(co_await by_name.close());
        EXPECT_EQ((co_await unix_socket::connect(name)).error(), std::errc::connection_refused);
        EXPECT_TRUE(unix_socket::listener::bind(name));
        EXPECT_TRUE(co_await by_path.close());
        EXPECT_TRUE(std::filesystem::exists(path));
    });
}

TEST_P(unix_names, that_are_too_long_are_refused) {
    run([]() -> task<> {
        const scratch_folder folder;
        std::string path = folder / "";
        path.resize(107, 'p');
        EXPECT_TRUE(unix_socket::listener::bind(path));
        path += 'q';
        EXPECT_EQ(unix_socket::listener::bind(path).error(), std::errc::filename_too_long);
        EXPECT_EQ((co_await unix_socket::connect(path)).error(), std::errc::filename_too_long);
        EXPECT_EQ(unix_socket::datagram::bind(path).error(), std::errc::filename_too_long);
    });
}

// Went wrong: the kernel made up a name for a listener without one, and nobody could find it.
TEST_P(unix_names, that_name_nothing_are_refused) {
    run([]() -> task<> {
        for (const char* path : {"", "@"}) {
            const std::errc refused = std::errc::invalid_argument;
            EXPECT_EQ(unix_socket::listener::bind(path).error(), refused) << path;
            EXPECT_EQ(unix_socket::sequential_listener::bind(path).error(), refused) << path;
            EXPECT_EQ(unix_socket::datagram::bind(path, {.replace_stale = true}).error(), refused)
                << path;
            EXPECT_EQ((co_await unix_socket::connect(path)).error(), refused) << path;
            EXPECT_EQ((co_await unix_socket::connect_sequential(path)).error(), refused) << path;
        }
        // The address of a socket without a name is one, and cannot be reached.
        auto box = unix_socket::datagram::open().value();
        auto [unnamed, other] = unix_socket::pair().value();
        const address nowhere = unnamed.local_address().value();
        EXPECT_EQ(nowhere, address::unnamed_unix());
        EXPECT_EQ((co_await box.connect(nowhere)).error(), std::errc::invalid_argument);
        EXPECT_EQ((co_await box.send_to(bytes_of("x"), nowhere)).error(),
                  std::errc::invalid_argument);
    });
}

TEST_P(unix_names, a_stale_file_gives_way_if_asked_and_a_live_one_never) {
    run([]() -> task<> {
        const scratch_folder folder;
        const std::string path = folder / "socket";
        auto listener = unix_socket::listener::bind(path).value();
        EXPECT_EQ(unix_socket::listener::bind(path, {.replace_stale = true}).error(),
                  std::errc::address_in_use);
        EXPECT_TRUE(co_await (co_await listener.accept()).value().close());  // the look counted
        EXPECT_TRUE(co_await listener.close());
        EXPECT_EQ((co_await unix_socket::connect(path)).error(), std::errc::connection_refused);
        EXPECT_EQ(unix_socket::listener::bind(path).error(), std::errc::address_in_use);
        listener = unix_socket::listener::bind(path, {.replace_stale = true}).value();
        co_await exchange(listener, path);
        EXPECT_TRUE(co_await listener.close());

        // Of another type, stale and live.
        auto box = unix_socket::datagram::bind(path, {.replace_stale = true}).value();
        EXPECT_EQ(unix_socket::listener::bind(path, {.replace_stale = true}).error(),
                  std::errc::address_in_use);
        EXPECT_TRUE(co_await box.close());
        EXPECT_TRUE(unix_socket::sequential_listener::bind(path, {.replace_stale = true}));

        // What is not a socket is nobody's to remove.
        const std::string file = folder / "file";
        std::ofstream(file) << "precious";
        EXPECT_EQ(unix_socket::listener::bind(file, {.replace_stale = true}).error(),
                  std::errc::address_in_use);
        EXPECT_TRUE(std::filesystem::exists(file));
    });
}

TEST_P(unix_names, files_go_with_their_sockets_if_asked) {
    run([]() -> task<> {
        const scratch_folder folder;
        const std::string path = folder / "socket";
        {
            auto listener = unix_socket::listener::bind(path, {.remove_on_close = true}).value();
            EXPECT_TRUE(std::filesystem::exists(path));
            co_await exchange(listener, path);
        }
        EXPECT_FALSE(std::filesystem::exists(path));
        auto box = unix_socket::datagram::bind(path, {.remove_on_close = true}).value();
        EXPECT_TRUE(co_await box.close());
        EXPECT_FALSE(std::filesystem::exists(path));

        // One that has taken its place stays.
        auto first = unix_socket::listener::bind(path, {.remove_on_close = true}).value();
        std::filesystem::remove(path);
        auto second = unix_socket::listener::bind(path, {.remove_on_close = true}).value();
        EXPECT_TRUE(co_await first.close());
        EXPECT_TRUE(std::filesystem::exists(path));
        co_await exchange(second, path);
    });
}

TEST_P(unix_names, nobody_there) {
    run([]() -> task<> {
        const scratch_folder folder;
        EXPECT_EQ((co_await unix_socket::connect(folder / "nothing")).error(),
                  std::errc::no_such_file_or_directory);
        std::ofstream(folder / "file") << "x";
        EXPECT_EQ((co_await unix_socket::connect(folder / "file")).error(),
                  std::errc::connection_refused);
        EXPECT_EQ(unix_socket::listener::bind(folder / "no/such/folder").error(),
                  std::errc::no_such_file_or_directory);
    });
}

}  // namespace
}  // namespace upcall::testing
