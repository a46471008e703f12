#include "sim/race_values.hpp"

#include <array>
#include <string>

#include <upcall/upcall.hpp>

#include "sim/pause.hpp"
#include "sim/planted.hpp"
#include "sim/probes.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

task<> send_numbers(sim::world& w, channel<int>& to, int count) {
    for (int number = 1; number <= count; ++number) {
        co_await pause(w, 20);
        const auto sent = co_await to.send(number);
        if (!sent) co_return;
    }
}

void note_race(bool had_value) {
    reached(had_value ? probe::cancel_lost_to_value : probe::cancel_won);
}

}  // namespace

// A receiver that waits for a while at a time gets every value once.
sim::report late_values(sim::world& w) {
    int sum = 0;
    constexpr int count = 20;
    w.host("one", [&]() -> task<> {
        channel<int> numbers(1);
        co_await with_scope([&](scope& all) -> task<> {
            all.spawn_now(send_numbers(w, numbers, count), "sender");
            for (int got = 0; got < count;) {
                auto any = co_await when_any(sleep(10us), numbers.receive());
                auto& value = std::get<1>(any.outcomes);
                if (any.index == 0) note_race(value.has_value());
                const bool dropped = has(bug::drops_late_values) && any.index == 0;
                if (!value) continue;
                ++got;
                if (!dropped) sum += *value;
            }
        });
    });
    sim::report seen = w.run();
    seen.expect(sum == count * (count + 1) / 2, "a value was lost");
    return seen;
}

// Whoever closes a channel waits for those who send.
sim::report closed_channel(sim::world& w) {
    int sum = 0;
    w.host("one", [&]() -> task<> {
        channel<int> numbers(2);
        auto send_then_close = [](sim::world& in, channel<int>& to) -> task<> {
            co_await with_scope([&](scope& senders) -> task<> {
                for (int each = 0; each < 3; ++each)
                    senders.spawn_now(send_numbers(in, to, 5), "sender");
                if (has(bug::closes_before_the_last)) {
                    co_await sleep(40us);
                    to.close();
                }
            });
            to.close();
        };
        co_await with_scope([&](scope& all) -> task<> {
            all.spawn_now(send_then_close(w, numbers), "closer");
            while (auto next = co_await numbers.receive()) sum += *next;
        });
    });
    sim::report seen = w.run();
    seen.expect(sum == 45, "a value was lost");
    return seen;
}

// A read that was cancelled has read nothing.
sim::report cancelled_reads(sim::world& w) {
    std::string heard;
    std::string said;
    for (int at = 0; at < 200; ++at) said += static_cast<char>('a' + at % 26);
    w.host("listener", [&]() -> task<> {
        auto listener = tcp::listener::bind("0.0.0.0:80").value();
        auto peer = (co_await listener.accept()).value();
        std::array<std::byte, 16> room;
        for (;;) {
            auto any = co_await when_any(sleep(100us), peer.read(room));
            const auto& got = std::get<1>(any.outcomes);
            if (any.index == 0) note_race(got.has_value());
            if (any.index == 0 && has(bug::takes_cancelled_for_done)) continue;
            if (got)
                heard += text_of(byte_view(room).first(*got));
            else if (!is_cancellation(got.error()))
                break;
        }
    });
    w.host("speaker", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("listener", 80))).value();
        for (std::size_t at = 0; at < said.size(); at += 10) {
            const auto sent = co_await peer.write_all(bytes_of(said).subspan(at, 10));
            if (!sent) co_return;
            co_await pause(w, 200);
        }
    });
    sim::report seen = w.run();
    seen.expect(heard == said, "not what was said");
    return seen;
}

// A write to a file that was cancelled has written nothing, and one that was short says so.
sim::report cancelled_writes_to_files(sim::world& w) {
    bool wrong = false;
    w.host("one", [&]() -> task<> {
        auto data = (co_await file::open("/data", open_read | open_write | open_create)).value();
        std::string expected(400, '.');
        (co_await data.write_all_at(bytes_of(expected), 0)).cause.clear();
        for (std::size_t round = 0; round < 10; ++round) {
            const std::string text(40, static_cast<char>('a' + round));
            auto any = co_await when_any(sleep(100us), data.write_at(bytes_of(text), round * 40));
            const auto& wrote = std::get<1>(any.outcomes);
            if (any.index == 0) note_race(wrote.has_value());
            const std::size_t count = wrote ? *wrote : 0;
            const bool forgotten = has(bug::forgets_short_reads) && count > 0;
            expected.replace(round * 40, forgotten ? 40 : count,
                             std::string(forgotten ? 40 : count, text[0]));
        }
        std::string found(400, '?');
        const byte_span room{reinterpret_cast<std::byte*>(found.data()), found.size()};
        for (std::size_t done = 0; done < found.size();) {
            const auto got = co_await data.read_at(room.subspan(done), done);
            done += got.value();
        }
        wrong = found != expected;
    });
    sim::report seen = w.run();
    seen.expect(!wrong, "the file is not what was written");
    return seen;
}

// An accept that was cancelled has accepted nobody.
sim::report cancelled_accepts(sim::world& w) {
    constexpr int clients = 8;
    int accepted = 0;
    int answered = 0;
    w.host("server", [&]() -> task<> {
        auto listener = tcp::listener::bind("0.0.0.0:80").value();
        while (accepted < clients) {
            auto any = co_await when_any(sleep(50us), listener.accept());
            auto& peer = std::get<1>(any.outcomes);
            if (any.index == 0) note_race(peer.has_value());
            if (!peer) continue;
            ++accepted;
            if (any.index == 0 && has(bug::leaks_a_connection)) continue;
            const auto sent = co_await peer->write_all(bytes_of("x"));
            if (!sent) continue;
        }
    });
    for (int each = 0; each < clients; ++each)
        w.host("client " + std::to_string(each), [&]() -> task<> {
            co_await pause(w, 500);
            auto peer = (co_await tcp::connect(w.address_of("server", 80))).value();
            auto chunk = co_await peer.receive();
            if (chunk) ++answered;
        });
    sim::report seen = w.run();
    seen.expect(answered == clients, "somebody was accepted and forgotten");
    seen.expect(w.kernel().open_descriptors() == 0, "something was left open");
    return seen;
}

}  // namespace upcall_sim
