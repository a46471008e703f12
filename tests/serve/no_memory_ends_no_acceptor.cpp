// The n-th allocation fails, for n = 1, 2, …, while a client comes: it may be turned away, but the
// next one is served. Went wrong: one that found no memory ended the accepting for good.
#include <upcall/upcall.hpp>

#include <string>

#include "serve/acceptor.hpp"
#include "serve/short_of_memory.hpp"

namespace upcall_serve {
namespace {

using namespace upcall;
using namespace upcall::testing;

class acceptor_short_of_memory : public short_of_memory {};
UPCALL_FOR_EVERY_LOOP(acceptor_short_of_memory);

/// What the server answers to a client of its own, or nothing.
task<std::string> ask(address where) {
    std::string answer;
    auto peer = co_await tcp::connect(where);
    if (!peer) co_return answer;
    const transfer wrote = co_await peer->write_all(bytes_of("GET /missing HTTP/1.0\r\n\r\n"));
    if (!wrote) co_return answer;
    while (auto chunk = co_await peer->receive()) answer += chunk->text();
    co_return answer;
}

task<bool> ask_with_failure(address where, std::size_t n) {
    failing_allocation one(n);
    try {
        static_cast<void>(co_await ask(where));
    } catch (const std::bad_alloc&) {  // the client's own
    }
    co_return one.failed();
}

TEST_P(acceptor_short_of_memory, goes_on) {
    upcall_serve::options settings;
    settings.directory = "/";
    std::size_t failures = 0;
    server_state state{settings, 1, {}, connection_cap(8, 8, 1), {}};
    run([&]() -> task<> {
        const auto root = (co_await file::open("/", open_read | open_directory)).value();
        loop_server server(state, root, "Server: test\r\n");
        auto listener = tcp::listener::bind(address::loopback(0)).value();
        const address where = listener.local_address().value();
        co_await with_scope(
            [&](scope& connections) -> task<> {
                connections.spawn_now(accept_all(server, std::move(listener), connections));
                for (bool failed = true; failed;) {
                    failed = co_await ask_with_failure(where, ++failures);
                    const std::string answer = co_await ask(where);
                    EXPECT_TRUE(answer.starts_with("HTTP/1.1 404")) << failures << ": " << answer;
                    if (!answer.starts_with("HTTP/")) break;
                }
                connections.cancel();
            },
            {.policy = on_failure::supervise,
             .limit = 0,
             .failed = [](const char*, const std::exception_ptr&) noexcept {}});
    });
    EXPECT_GT(failures, 10U);
    EXPECT_EQ(state.cap.connections(), 0U);
}

}  // namespace
}  // namespace upcall_serve
