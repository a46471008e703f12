// Sends back whatever it receives.
//
//     echo_server --listen 127.0.0.1:7000 [--driver NAME] [--loops N] [--watch MS]
//
// With several loops, each has a listener of its own on the same address, and the kernel spreads
// the connections over them. `--watch` reports what keeps a loop from them for so many
// milliseconds, and keeps accounts of what its tasks used.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcall/upcall.hpp>

using namespace upcall;

namespace {

struct options {
    std::string listen = "127.0.0.1:7000";
    std::string driver;
    unsigned loops = 1;
    unsigned watch_ms = 0;
};

task<> echo(tcp::stream peer) {
    while (auto chunk = co_await peer.receive()) {  // an idle peer owns no buffer
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) break;  // an error or cancellation; the loop itself ends at the end of stream
    }
}

task<> serve(const options& chosen) {
    auto listener =
        value_or_throw(tcp::listener::bind(chosen.listen, {.reuse_port = chosen.loops > 1}),
                       "listen on", chosen.listen);
    std::printf("listening on %s\n", listener.local_address().value().to_string().c_str());
    std::fflush(stdout);
    co_await with_scope([&](scope& connections) -> task<> {
        while (auto peer = co_await listener.accept())  // ends when asked to stop
            connections.spawn_now(echo(std::move(*peer)), "echo");
    });
}

options parse(int count, char** words) {
    options chosen;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string_view name = words[at];
        if (name == "--listen")
            chosen.listen = words[at + 1];
        else if (name == "--driver")
            chosen.driver = words[at + 1];
        else if (name == "--loops")
            chosen.loops = static_cast<unsigned>(std::strtoul(words[at + 1], nullptr, 10));
        else if (name == "--watch")
            chosen.watch_ms = static_cast<unsigned>(std::strtoul(words[at + 1], nullptr, 10));
        else
            count = 0;
    }
    if (count % 2 == 0) {
        std::fprintf(stderr,
                     "usage: echo_server [--listen ADDRESS] [--driver NAME] [--loops N] "
                     "[--watch MS]\n");
        std::exit(2);
    }
    return chosen;
}

}  // namespace

int main(int count, char** words) {
    const options chosen = parse(count, words);
    run_options how;
    how.driver.name = chosen.driver;
    if (chosen.watch_ms > 0) {
        how.watch = {.threshold = std::chrono::milliseconds(chosen.watch_ms)};
        how.loop.accounts = true;
    }
    return run_loops(chosen.loops, [&](unsigned) { return serve(chosen); }, how);
}
