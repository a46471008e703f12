// Programs for simulated worlds that several tests run.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include <upcall/sim/seeds.hpp>
#include <upcall/upcall.hpp>

namespace upcall::sim {

using namespace std::chrono_literals;

inline task<> echo(tcp::stream peer) {
    while (auto chunk = co_await peer.receive()) {
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) break;
    }
}

/// Listens on port 7000 of every address.
inline task<> echo_server() {
    auto listener = tcp::listener::bind("0.0.0.0:7000").value();
    co_await with_scope([&](scope& connections) -> task<> {
        while (auto peer = co_await listener.accept())
            connections.spawn_now(echo(std::move(*peer)), "echo");
    });
}

/// Sends `text` and yields what comes back, as much as was sent; or the error.
inline task<result<std::string>> exchange(tcp::stream& with, std::string text) {
    const auto sent = co_await with.write_all(bytes_of(text));
    if (!sent) co_return failure(sent.cause);
    std::string answer;
    while (answer.size() < text.size()) {
        auto chunk = co_await with.receive();
        if (!chunk) co_return failure(chunk.error());
        answer += text_of(*chunk);
    }
    co_return answer;
}

}  // namespace upcall::sim
