// Echo server on Asio with C++20 coroutines, on the concrete io_context executor.
#include <boost/asio.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "../support/net.h"

namespace asio = boost::asio;
using asio::ip::tcp;
using executor = asio::io_context::executor_type;
using stream_socket = asio::basic_stream_socket<tcp, executor>;
using acceptor = asio::basic_socket_acceptor<tcp, executor>;
template <typename Value>
using awaitable = asio::awaitable<Value, executor>;
// Cheaper than `use_awaitable`, which makes a coroutine of each operation.
constexpr auto resume = asio::as_tuple(asio::deferred);

namespace {

awaitable<void> echo(stream_socket socket, std::size_t buffer_bytes) {
    // Not cleared: an idle connection then only costs the pages that data has touched.
    const std::unique_ptr<char[]> buffer(new char[buffer_bytes]);
    for (;;) {
        const auto [failed, bytes] =
            co_await socket.async_read_some(asio::buffer(buffer.get(), buffer_bytes), resume);
        if (failed) co_return;
        const auto [unsent, sent] =
            co_await asio::async_write(socket, asio::buffer(buffer.get(), bytes), resume);
        if (unsent) co_return;
    }
}

awaitable<void> serve(acceptor listener, std::size_t buffer_bytes) {
    for (;;) {
        auto [error, socket] = co_await listener.async_accept(resume);
        if (!error)
            asio::co_spawn(listener.get_executor(), echo(std::move(socket), buffer_bytes),
                           asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto buffer_bytes =
        static_cast<std::size_t>(option_number(argc, argv, "--buffer", 65536));
    asio::io_context context(1);
    acceptor listener(context, tcp::v4(), listen_on(option_number(argc, argv, "--port", 7000)));
    asio::co_spawn(context, serve(std::move(listener), buffer_bytes), asio::detached);
    context.run();
}
