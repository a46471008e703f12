// What the bodies of conformance cases are made of.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <upcall/upcall.hpp>

namespace upcall::test {

/// A request that runs by itself, so that its test can go on, ask it to end, and see how it did.
///
///     running reading(home(), stream.read(buffer));
///     co_await turns(1);
///     reading.cancel();
///     co_await reading.ended();
///     EXPECT_EQ(reading.outcome().error(), errc::cancelled);
template <class Request>
class running {
  public:
    using value_type = typename Request::value_type;

    running(loop& home, Request what) : own_(home.root()) {
        own_.spawn_now(keep(std::move(what)), "running");
    }

    bool done() const noexcept { return outcome_.has_value(); }
    auto ended() { return own_.join(); }
    void cancel(cancel_cause why = cancel_cause::cancelled) { own_.where().cancel(why); }
    void stop() { own_.stop(); }

    /// Only when it is done.
    value_type& outcome() { return outcome_.value(); }

  private:
    task<> keep(Request what) { outcome_.emplace(co_await std::move(what)); }

    std::optional<value_type> outcome_;
    scope own_;
};

/// What `what` fails with, or none. GCC 12 ends the life of an outcome that owns something before
/// `(co_await …).error()` has been looked at.
template <class Request>
task<std::error_code> error_from(Request what) {
    const auto outcome = co_await std::move(what);
    co_return outcome ? std::error_code{} : outcome.error();
}

/// Lets the loop turn so many times; each turn polls the driver without waiting.
inline task<> turns(int count) {
    while (count-- > 0) static_cast<void>(co_await sleep(duration::zero()));
}

/// Two ends of one TCP connection.
struct stream_pair {
    tcp::stream client;
    tcp::stream server;
};

inline task<stream_pair> connected(std::string where = "127.0.0.1:0") {
    auto listener = tcp::listener::bind(where).value();
    stream_pair pair;
    pair.client = (co_await tcp::connect(listener.local_address().value())).value();
    pair.server = (co_await listener.accept()).value();
    co_return std::move(pair);
}

/// All bytes up to the end of the stream, and what ended it.
struct text_and_end {
    std::string text;
    std::error_code end;
};

inline task<text_and_end> read_to_end(byte_stream& from) {
    text_and_end got;
    for (;;) {
        auto chunk = co_await from.receive();
        if (!chunk) {
            got.end = chunk.error();
            co_return std::move(got);
        }
        got.text += chunk->text();
    }
}

/// Bytes that tell their own position: losing, doubling or swapping any of them shows.
inline std::string counted_text(std::size_t size, std::size_t from = 0) {
    std::string text;
    text.reserve(size + 24);
    for (std::size_t at = from; text.size() < size; ++at) text += std::to_string(at) + " ";
    text.resize(size);
    return text;
}

inline byte_span bytes_in(std::string& text) {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

}  // namespace upcall::test
