#include "sim/echo_program.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "sim/planted.hpp"
#include "sim/probes.hpp"
#include "sim/wire.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t size_max = 100'000;
using bytes = std::vector<std::byte>;

task<bool> send_all(tcp::stream& to, const bytes& message) {
    if (has(bug::echo_writes_once)) {
        const auto sent = co_await timeout(1min, to.write(message));
        co_return sent.has_value();
    }
    const auto sent = co_await timeout(1min, to.write_all(message));
    co_return !sent.cause;
}

task<bool> read_body(tcp::stream& from, byte_span body) {
    if (has(bug::echo_reads_once) && !body.empty()) {
        const auto got = co_await timeout(1min, from.read(body));
        co_return got.has_value();
    }
    const auto got = co_await timeout(1min, from.read_exactly(body));
    co_return !got.cause;
}

/// The length and the message behind it; empty at the end.
task<bytes> next_message(tcp::stream& from) {
    std::uint32_t size = 0;
    const auto head = co_await timeout(1min, from.read_exactly(bytes_in(size)));
    if (head.cause || size > size_max) co_return bytes();
    bytes message(sizeof size + size);
    std::memcpy(message.data(), &size, sizeof size);
    const bool whole = co_await read_body(from, byte_span(message).subspan(sizeof size));
    co_return whole ? std::move(message) : bytes();
}

task<> answer_later(std::shared_ptr<tcp::stream> to, bytes message) {
    co_await yield();
    co_await send_all(*to, message);
}

task<> answer_side_by_side(std::shared_ptr<tcp::stream> peer) {
    co_await with_scope([&](scope& answers) -> task<> {
        for (;;) {
            bytes message = co_await next_message(*peer);
            if (message.empty()) break;
            answers.spawn_now(answer_later(peer, std::move(message)), "answer");
        }
    });
}

task<> serve(tcp::stream peer, bytes& shared) {
    if (has(bug::echo_answers_side_by_side))
        co_return co_await answer_side_by_side(std::make_shared<tcp::stream>(std::move(peer)));
    bytes own;
    bytes& message = has(bug::echo_shares_a_buffer) ? shared : own;
    for (;;) {
        message = co_await next_message(peer);
        if (message.empty()) break;
        co_await yield();
        const bool sent = co_await send_all(peer, message);
        if (!sent) break;
    }
}

bytes message_of(std::uint32_t client, std::uint32_t number) {
    const std::uint64_t drawn = mixed(payload_of(client, number));
    const auto size = static_cast<std::uint32_t>(drawn % 8 == 0 ? drawn % 20'000 : drawn % 200);
    bytes message(sizeof size + size);
    std::memcpy(message.data(), &size, sizeof size);
    // A period of 56 bytes, which is no power of two: what is lost or doubled shows.
    constexpr std::size_t period = 56;
    byte_span body = byte_span(message).subspan(sizeof size);
    for (std::size_t at = 0; at < std::min(period, body.size()); ++at)
        body[at] = static_cast<std::byte>(drawn >> at);
    for (std::size_t done = period; done < body.size(); done += std::min(done, body.size() - done))
        std::memcpy(body.data() + done, body.data(), std::min(done, body.size() - done));
    return message;
}

/// Reads into `got` until it is as long as `size`.
task<bool> hear(tcp::stream& from, std::size_t size, bytes& got) {
    while (got.size() < size) {
        const duration patience = has(bug::client_waits_for_ever) ? duration::max() : 20s;
        auto chunk = co_await timeout(patience, from.receive());
        if (!chunk) {
            const bool late = chunk.error() == errc::deadline_exceeded;
            reached(late ? probe::answer_timed_out : probe::connection_broken);
            co_return false;
        }
        const byte_view some = chunk->span();
        got.insert(got.end(), some.begin(), some.end());
    }
    co_return true;
}

/// Two messages at a time, so that their answers could change places.
task<bool> exchange(tcp::stream& with, std::uint32_t client, std::uint32_t number, bytes& got,
                    std::string& wrong) {
    bytes sent = message_of(client, number);
    const bytes second = message_of(client, number + 1);
    sent.insert(sent.end(), second.begin(), second.end());
    const auto [said, heard] =
        co_await when_all(timeout(20s, with.write_all(sent)), hear(with, sent.size(), got));
    // All of it, or its beginning when the connection broke.
    const bool begins = got.size() <= sent.size() &&
                        (got.empty() || std::memcmp(got.data(), sent.data(), got.size()) == 0);
    if (!begins) wrong = "the echo is not what was said";
    if (said.cause || !heard) co_return false;
    got.clear();
    co_return true;
}

}  // namespace

task<> serve_echo() {
    bytes shared;
    auto listener = tcp::listener::bind(address::ipv4({}, echo_port)).value();
    co_await with_scope([&](scope& all) -> task<> {
        while (auto peer = co_await listener.accept())
            all.spawn_now(serve(std::move(*peer), shared), "echo connection");
    });
}

task<> use_echo(address where, std::uint32_t client, std::uint32_t count, std::string& wrong) {
    bytes got;
    for (std::uint32_t number = 0; number < count && wrong.empty();) {
        auto peer = co_await timeout(10s, tcp::connect(where));
        if (!peer) {
            if (peer.error() == errc::cancelled) co_return;
            co_await sleep(100ms);
            continue;
        }
        if (!has(bug::client_keeps_old_bytes)) got.clear();
        for (bool goes_on = true; goes_on && number < count && wrong.empty();) {
            goes_on = co_await exchange(*peer, client, number, got, wrong);
            if (goes_on) number += 2;
        }
    }
}

}  // namespace upcall_sim
