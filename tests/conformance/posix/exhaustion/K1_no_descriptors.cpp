#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"

namespace upcall::test {

TEST_P(every_driver, K1_without_descriptors_every_kind_of_operation_fails_cleanly_and_recovers) {
#ifdef UPCALL_TEST_SANITIZED
    UPCALL_SKIP("the sanitizer looks at objects through a pipe, for which it finds no descriptor");
#endif
    run([&]() -> task<> {
        const std::string path = scratch("data");
        auto pair = co_await connected();
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        auto data = (co_await file::open(path, open_read | open_write | open_create)).value();
        running reading(home(), pair.server.receive());
        co_await turns(3);
        {
            lowered_limit none_left(RLIMIT_NOFILE, next_descriptor());
            auto connected_none = co_await tcp::connect(where);
            CO_ASSERT(!connected_none);
            EXPECT_EQ(connected_none.error(), std::errc::too_many_files_open);
            auto opened_none = co_await file::open(path, open_read);
            CO_ASSERT(!opened_none);
            EXPECT_EQ(opened_none.error(), std::errc::too_many_files_open);
            EXPECT_EQ(tcp::listener::bind("127.0.0.1:0").error(), std::errc::too_many_files_open);
            EXPECT_EQ(co_await error_from(list_directory(scratch(""))),
                      std::errc::too_many_files_open);
            EXPECT_EQ(home().via().open_pair(socket_type::stream).error(),
                      std::errc::too_many_files_open);
            EXPECT_EQ(home().via().open_pipe().error(), std::errc::too_many_files_open);
            // What has its descriptor goes on; only a thread for each operation needs a further
            // one, when it starts.
            const bool threaded = runs_on("blocking");
            const transfer wrote = co_await pair.client.write_all(bytes_of("x"));
            if (threaded && wrote.cause == std::errc::too_many_files_open) reading.cancel();
            co_await reading.ended();
            EXPECT_TRUE(wrote || threaded);
            EXPECT_TRUE(reading.outcome() || threaded);
            EXPECT_TRUE(co_await data.write_all_at(bytes_of("x"), 0));
            EXPECT_TRUE(co_await data.sync());
            EXPECT_TRUE(co_await remove_file(path));
        }
        auto client = co_await tcp::connect(where);
        EXPECT_TRUE(client);
        EXPECT_TRUE(co_await listener.accept());
        EXPECT_TRUE(co_await file::open(path, open_write | open_create));
        reading.outcome() = failure(errc::closed);
    });
}

}  // namespace upcall::test
