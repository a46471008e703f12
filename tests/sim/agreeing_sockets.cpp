// Random programs over sockets, for agreement.hpp.
#include <chrono>

#include "agreement.hpp"

namespace upcall::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t steps = 25;
constexpr std::size_t unread_max = 20'000;  // less than any kernel holds: nobody waits for room

/// Two connected streams, and what a kernel has to make of them.
class conversation {
  public:
    explicit conversation(told& trace) : trace_(trace) {}

    task<> run() {
        co_await connect();
        for (std::size_t step = 0; step < steps; ++step) co_await next();
        co_await end();
    }

  private:
    task<> connect() {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        auto client = co_await tcp::connect(listener.local_address().value());
        trace_.note("connect", client);
        auto server = co_await listener.accept();
        trace_.note("accept", server);
        ends_[0] = std::move(client.value());
        ends_[1] = std::move(server.value());
    }

    task<> next() {
        const std::size_t who = trace_.below(2);
        const std::size_t size = 1 + trace_.below(3000);
        switch (trace_.below(9)) {
            case 0:
            case 1:
                co_await write(who, size);
                break;
            case 2:
            case 3:
                co_await read(who, size);
                break;
            case 4:
                co_await receive_all(who);
                break;
            case 5:
                co_await read_in_vain(who);
                break;
            case 6:
                co_await both_ways(who, size * 50);
                break;
            case 7:
                co_await nothing(who);
                break;
            default:
                // Rarely: much of what follows is refused then.
                if (trace_.below(6) == 0) co_await shut(who);
        }
    }

    task<> write(std::size_t who, std::size_t size) {
        if (unread_[1 - who] + size > unread_max) co_return;
        const std::string text = trace_.text(size);
        const auto sent = co_await ends_[who].write_all(bytes_of(text));
        trace_.note("write", sent);
        if (!shut_[who]) unread_[1 - who] += size;
    }

    task<> read(std::size_t who, std::size_t most) {
        const std::size_t size = std::min(most, unread_[who]);
        if (size == 0) co_return;
        std::string text(size, '?');
        const auto got = co_await ends_[who].read_exactly(room_in(text));
        trace_.note("read", got);
        trace_.note_text("read", text);
        unread_[who] -= size;
    }

    task<> receive_all(std::size_t who) {
        std::string text;
        while (text.size() < unread_[who]) {
            auto chunk = co_await ends_[who].receive();
            if (!chunk) {
                trace_.note("receive", chunk.error());
                break;
            }
            text += text_of(*chunk);
        }
        trace_.note_text("receive", text);
        unread_[who] = 0;
    }

    /// There is nothing: its time is up, or the stream has ended.
    task<> read_in_vain(std::size_t who) {
        if (unread_[who] > 0) co_return;
        std::string text(10, '?');
        const auto got =
            co_await timeout(shut_[1 - who] ? 1h : 1ms, ends_[who].read(room_in(text)));
        trace_.note("read in vain", got);
    }

    /// More than fits, while the other side reads, and two writes that keep their order.
    task<> both_ways(std::size_t who, std::size_t size) {
        if (unread_[0] + unread_[1] > 0 || shut_[who]) co_return;
        const std::string first = trace_.text(size);
        const std::string second = trace_.text(1 + trace_.below(100));
        std::string text(first.size() + second.size(), '?');
        const auto [one, other, got] = co_await when_all(
            ends_[who].write_all(bytes_of(first)), ends_[who].write_all(bytes_of(second)),
            ends_[1 - who].read_exactly(room_in(text)));
        trace_.note("first of two", one);
        trace_.note("second of two", other);
        trace_.note("read both", got);
        trace_.note(text == first + second ? "in order" : "in disorder");
    }

    task<> nothing(std::size_t who) {
        const auto sent = co_await ends_[who].write(byte_view());
        trace_.note("write nothing", sent);
        const auto got = co_await ends_[who].read(byte_span());
        trace_.note("read nothing", got);
    }

    task<> shut(std::size_t who) {
        // When both have, it depends on what has arrived whether there is a connection yet to be
        // shut down once more.
        if (shut_[0] && shut_[1]) co_return;
        const auto done = co_await ends_[who].shut_down_writing();
        trace_.note("shut down", done);
        shut_[who] = true;
    }

    /// One side closes, having read all; the other finds the end.
    task<> end() {
        co_await receive_all(0);
        const auto closed = co_await ends_[0].close();
        trace_.note("close", closed);
        co_await receive_all(1);
        for (int again = 0; again < 2; ++again) {
            std::string text(10, '?');
            const auto got = co_await ends_[1].read(room_in(text));
            trace_.note("read at the end", got);
        }
        const auto late = co_await ends_[0].write(bytes_of("x"));
        trace_.note("write what is closed", late);
    }

    told& trace_;
    std::array<tcp::stream, 2> ends_;
    std::array<std::size_t, 2> unread_{};
    std::array<bool, 2> shut_{};
};

task<> refuse(told& trace) {
    auto listener = tcp::listener::bind("127.0.0.1:0").value();
    const address where = listener.local_address().value();
    const auto taken = tcp::listener::bind(where);
    trace.note("bind what is taken", taken);
    const auto vain = co_await timeout(1ms, listener.accept());
    trace.note("accept in vain", vain);
    const auto closed = co_await listener.close();
    trace.note("close", closed);
    const auto refused = co_await tcp::connect(where);
    trace.note("connect to nobody", refused);
}

}  // namespace

task<> use_streams(told& trace) {
    conversation all(trace);
    co_await all.run();
    co_await refuse(trace);
}

task<> use_datagrams(told& trace) {
    auto one = udp::socket::bind("127.0.0.1:0").value();
    auto other = udp::socket::bind("127.0.0.1:0").value();
    const address where = other.local_address().value();
    for (std::size_t step = 0; step < steps; ++step) {
        const std::size_t kind = trace.below(10);
        const std::string text = trace.text(trace.below(4) == 0 ? 0 : trace.below(5000));
        std::string room(1 + trace.below(5000), '?');
        if (kind == 0) {
            const std::string large(70'000, 'x');
            const auto refused = co_await one.send_to(bytes_of(large), where);
            trace.note("send too much", refused);
        } else if (kind == 1) {
            const auto vain = co_await timeout(1ms, other.receive(room_in(room)));
            trace.note("receive in vain", vain);
        } else {
            const auto sent = co_await one.send_to(bytes_of(text), where);
            trace.note("send", sent);
            const auto got = co_await other.receive(room_in(room));
            trace.note("receive", got);
            if (!got) continue;
            trace.note(got->truncated ? "cut short" : "whole");
            trace.note_text("of " + std::to_string(got->size),
                            std::string_view(room).substr(0, std::min(got->size, room.size())));
        }
    }
}

}  // namespace upcall::sim
