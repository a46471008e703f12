// Connected streams to test with.
#pragma once

#include <string>
#include <upcall/io/tcp.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <utility>

#include "support/test_loop.hpp"

namespace upcall::testing {

struct tcp_pair {
    tcp::stream here;   // the one that connected
    tcp::stream there;  // the one that was accepted
};

inline task<tcp_pair> connected_pair() {
    auto listener = tcp::listener::bind("127.0.0.1:0").value();
    auto here = (co_await tcp::connect(listener.local_address().value())).value();
    auto there = (co_await listener.accept()).value();
    co_return tcp_pair{std::move(here), std::move(there)};
}

/// Reads to the end of the stream.
inline task<std::string> read_to_end(byte_stream& from) {
    std::string text;
    while (auto chunk = co_await from.receive()) text += chunk->text();
    co_return text;
}

/// The text as room to read into.
inline byte_span room_in(std::string& text) {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

/// A text in which every place can be told from its neighbours.
inline std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    std::uint32_t state = 1;
    for (char& one : text) {
        state = state * 1664525U + 1013904223U;
        one = static_cast<char>(state >> 24);
    }
    return text;
}

}  // namespace upcall::testing
