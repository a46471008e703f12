#include <upcall/base/recycler.hpp>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"

UPCALL_COUNT_ALLOCATIONS

namespace upcall::test {

namespace {

/// How a step may fail when there is no memory: with that error, or as one that could not start.
void expect_shortage(const std::error_code& why, const char* step) {
    EXPECT_EQ(why, std::errc::not_enough_memory) << step << ": " << why.message();
}

task<> use_streams() {
    auto listener = tcp::listener::bind("127.0.0.1:0");
    if (!listener) co_return expect_shortage(listener.error(), "bind");
    auto client = co_await tcp::connect(listener->local_address().value());
    if (!client) co_return expect_shortage(client.error(), "connect");
    auto server = co_await listener->accept();
    if (!server) co_return expect_shortage(server.error(), "accept");
    const transfer wrote = co_await client->write_all(bytes_of("hello"));
    if (!wrote) co_return expect_shortage(wrote.cause, "write");
    auto chunk = co_await server->receive();
    if (!chunk) co_return expect_shortage(chunk.error(), "receive");
    EXPECT_EQ(chunk->text(), "hello");
    std::byte byte{};
    auto late = co_await timeout(std::chrono::nanoseconds(1), server->read({&byte, 1}));
    if (!late && late.error() != errc::deadline_exceeded) expect_shortage(late.error(), "timeout");
    auto ends = pipe::open();
    if (!ends) co_return expect_shortage(ends.error(), "pipe");
}

task<> use_files(const std::string& path) {
    auto data = co_await file::open(path, open_read | open_write | open_create);
    if (!data) co_return expect_shortage(data.error(), "open");
    const transfer wrote = co_await data->write_all_at(bytes_of("text"), 0);
    if (!wrote) co_return expect_shortage(wrote.cause, "write_at");
    auto synced = co_await data->sync();
    if (!synced) co_return expect_shortage(synced.error(), "sync");
    std::byte room[4];
    auto got = co_await data->read_at(room, 0);
    if (!got) co_return expect_shortage(got.error(), "read_at");
    auto removed = co_await remove_file(path);
    if (!removed) expect_shortage(removed.error(), "remove");
}

}  // namespace

TEST_P(every_driver, K3_whichever_allocation_fails_it_is_told_and_nothing_is_left) {
#ifdef UPCALL_TEST_SANITIZED
    UPCALL_SKIP("the sanitizers' own operator new cannot be made to fail");
#endif
    const std::string path = scratch("data");
    run([&]() -> task<> {
        co_await use_streams();  // what is made once is there
        co_await use_files(path);
    });
    for (int which = 0; which < 2; ++which) {
        std::size_t n = 0;
        for (bool failed = true; failed; ++n) {
            ASSERT_LT(n, 10'000U);
            SCOPED_TRACE(n);
            scope tasks(home().root());
            recycler_bypass(true);
            {
                testing::failing_allocation one(n + 1);
                try {
                    tasks.spawn_now(which == 0 ? use_streams() : use_files(path), "user");
                } catch (const std::bad_alloc&) {
                }
                turn_until([&] { return tasks.size() == 0; });
                failed = one.failed();
            }
            recycler_bypass(false);
            if (tasks.exception()) {
                EXPECT_THROW(std::rethrow_exception(tasks.exception()), std::bad_alloc);
            }
            turn_until([&] { return !home().alive(); });
            EXPECT_EQ(buffers_lent(), 0U);
        }
        EXPECT_GT(n, 5U);
        RecordProperty(which == 0 ? "allocations_of_streams" : "allocations_of_files",
                       static_cast<int>(n));
    }
}

}  // namespace upcall::test
