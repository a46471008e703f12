#include <upcall/upcall.hpp>
using namespace upcall;

task<> echo(tcp::stream peer) {
    while (auto chunk = co_await peer.receive()) {  // a lease: an idle peer owns no buffer
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) break;
    }
}

task<> server() {
    auto listener = tcp::listener::bind("127.0.0.1:7000").value();
    co_await with_scope([&](scope& connections) -> task<> {
        while (auto peer = co_await listener.accept())  // ends when asked to stop
            connections.spawn_now(echo(std::move(*peer)), "echo");
    });
}

int main() { return run(server()); }
