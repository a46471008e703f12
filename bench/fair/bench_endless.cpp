// An echo server, on whose loop one task receives without end, if it is asked to: 1 KiB at a time
// of what another task of the loop writes as fast as it can. So there is always something to
// receive, and no other processor is needed for it.
//
//     bench_endless --port N [--endless 0|1] [--driver NAME]
#include <array>
#include <string>
#include <string_view>
#include <upcall/upcall.hpp>
#include <vector>

using namespace upcall;

namespace {

struct settings {
    std::string port = "7000";
    bool endless = false;
    std::string driver;
};

task<> echo(tcp::stream peer) {
    while (auto chunk = co_await peer.receive()) {
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) break;
    }
}

task<> receive_without_end(byte_stream& from) {
    std::array<std::byte, 1024> buffer{};
    while (const auto got = co_await from.read(buffer)) {
    }
}

task<> write_without_end(byte_stream& to) {
    const std::vector<std::byte> block(65536);
    for (;;) {
        const transfer sent = co_await to.write_all(block);
        if (!sent) break;
    }
}

task<> be_endless() {
    auto ends = unix_socket::pair().value();
    co_await with_scope([&](scope& both) -> task<> {
        both.spawn_now(receive_without_end(ends.first), "receiver");
        both.spawn_now(write_without_end(ends.second), "sender");
        co_return;
    });
}

task<> serve(const settings& chosen) {
    auto listener = tcp::listener::bind("127.0.0.1:" + chosen.port).value();
    co_await with_scope([&](scope& connections) -> task<> {
        if (chosen.endless) connections.spawn_now(be_endless(), "endless");
        while (auto peer = co_await listener.accept())
            connections.spawn_now(echo(std::move(*peer)), "echo");
    });
}

}  // namespace

int main(int count, char** words) {
    settings chosen;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string_view name = words[at];
        if (name == "--port") chosen.port = words[at + 1];
        if (name == "--endless") chosen.endless = std::string_view(words[at + 1]) == "1";
        if (name == "--driver") chosen.driver = words[at + 1];
    }
    run_options how;
    how.driver.name = chosen.driver;
    how.grace = {};  // what never ends would not, either, when it is asked to
    return run(serve(chosen), how);
}
