// Echo server on Asio with callbacks. Executors are the concrete io_context executor rather than
// the type-erased default, which costs Asio less.
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

namespace {

class session : public std::enable_shared_from_this<session> {
  public:
    session(stream_socket socket, std::size_t buffer_bytes)
        : socket_(std::move(socket)),
          buffer_bytes_(buffer_bytes),
          // Not cleared: an idle connection then only costs the pages that data has touched.
          buffer_(new char[buffer_bytes]) {}

    void read() {
        socket_.async_read_some(
            asio::buffer(buffer_.get(), buffer_bytes_),
            [self = shared_from_this()](boost::system::error_code error, std::size_t bytes) {
                if (!error) self->write(bytes);
            });
    }

  private:
    void write(std::size_t bytes) {
        asio::async_write(
            socket_, asio::buffer(buffer_.get(), bytes),
            [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                if (!error) self->read();
            });
    }

    stream_socket socket_;
    std::size_t buffer_bytes_;
    std::unique_ptr<char[]> buffer_;
};

void accept(acceptor& listener, std::size_t buffer_bytes) {
    listener.async_accept(
        [&listener, buffer_bytes](boost::system::error_code error, stream_socket socket) {
            if (!error) std::make_shared<session>(std::move(socket), buffer_bytes)->read();
            accept(listener, buffer_bytes);
        });
}

}  // namespace

int main(int argc, char** argv) {
    const auto buffer_bytes =
        static_cast<std::size_t>(option_number(argc, argv, "--buffer", 65536));
    asio::io_context context(1);
    acceptor listener(context, tcp::v4(), listen_on(option_number(argc, argv, "--port", 7000)));
    accept(listener, buffer_bytes);
    context.run();
}
