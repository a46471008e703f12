// Stands between clients and a server, and passes on what either says. When one side has ended its
// own, the other is told, and may go on: each direction ends by itself.
//
//     tcp_proxy LISTEN TARGET          as in: tcp_proxy 127.0.0.1:7002 127.0.0.1:7000
#include <chrono>
#include <cstdio>
#include <upcall/upcall.hpp>

using namespace upcall;
using namespace std::chrono_literals;

namespace {

// One direction. A side that takes nothing holds up the one that sends: there is one chunk in hand.
task<> pass_on(tcp::stream& from, tcp::stream& to) {
    for (;;) {
        auto chunk = co_await from.receive_more();  // asked to stop, what is begun is finished
        if (!chunk && chunk.error() == errc::end_of_stream) {
            static_cast<void>(co_await to.shut_down_writing());
            co_return;
        }
        transfer sent{0, errc::closed};
        if (chunk) sent = co_await to.write_all(*chunk);
        if (sent) continue;
        // Something broke: neither direction can go on, and both sides are told.
        from.reset();
        to.reset();
        co_return;
    }
}

task<> connect_through(tcp::stream client, address target) {
    auto server = co_await timeout(10s, tcp::connect(target));
    if (!server) {
        std::fprintf(stderr, "%s: %s\n", target.to_string().c_str(),
                     server.error().message().c_str());
        client.reset();
        co_return;
    }
    co_await when_all(pass_on(client, *server), pass_on(*server, client));
}

task<> serve(const char* where, address target) {
    auto listener = value_or_throw(tcp::listener::bind(where), "listen on", where);
    std::printf("listening on %s\n", listener.local_address().value().to_string().c_str());
    std::fflush(stdout);
    co_await with_scope([&](scope& connections) -> task<> {
        while (auto peer = co_await listener.accept())
            connections.spawn_now(connect_through(std::move(*peer), target), "connection");
    });
}

}  // namespace

int main(int count, char** words) {
    const auto target = count == 3 ? address::parse(words[2]) : failure(errc::unsupported);
    if (!target) {
        std::fprintf(stderr, "usage: tcp_proxy LISTEN TARGET\n");
        return 2;
    }
    return run(serve(words[1], *target));
}
