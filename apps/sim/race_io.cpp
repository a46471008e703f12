#include "sim/race_io.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <upcall/durable/atomic_replace.hpp>
#include <upcall/durable/ordered_writer.hpp>
#include <upcall/upcall.hpp>

#include "sim/pause.hpp"
#include "sim/probes.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

// Who keeps what it received until the loop's buffers run dry goes on when it gives them back.
sim::report kept_chunks(sim::world& w) {
    constexpr std::size_t pieces = 700;  // a host has 256 buffers for small ones
    std::string heard;
    std::string said;
    for (std::size_t at = 0; at < pieces; ++at) said += static_cast<char>('a' + at % 26);
    w.host("listener", [&]() -> task<> {
        auto listener = tcp::listener::bind("0.0.0.0:80").value();
        auto peer = (co_await listener.accept()).value();
        std::vector<lease> kept;
        bool ended = false;
        bool paused = false;
        auto give_back = [&]() -> task<> {
            // Not for ever: who is not told then would not be found out for hours.
            std::size_t before = 0;
            for (int looks = 0; looks < 500 && !ended; ++looks) {
                co_await sleep(1ms);
                if (kept.size() == before && !kept.empty()) {
                    reached(probe::buffers_ran_dry);
                    kept.clear();
                }
                before = kept.size();
            }
        };
        auto hear = [&]() -> task<> {
            while (auto chunk = co_await peer.receive()) {
                heard += text_of(*chunk);
                kept.push_back(std::move(*chunk));
                if (w.chosen().below(64) == 63) co_await pause(w, 400);
                // The end is there before the last of it is asked for.
                if (heard.size() + 10 > pieces && !std::exchange(paused, true)) co_await sleep(2ms);
            }
            ended = true;
        };
        co_await when_all(hear(), give_back());
    });
    w.host("speaker", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("listener", 80))).value();
        for (std::size_t at = 0; at < said.size(); ++at) {
            const auto sent = co_await peer.write_all(bytes_of(said).subspan(at, 1));
            if (!sent) co_return;
            if (at % 4 == 0) co_await pause(w, 20);
        }
    });
    sim::report seen = w.run();
    seen.expect(heard == said, "not what was said");
    return seen;
}

// Of more writes than a stream queues the rest is refused, not lost.
sim::report full_queue(sim::world& w) {
    constexpr std::size_t writers = 120;
    constexpr std::size_t size = 2000;  // more than the window holds, all of them together
    std::size_t heard = 0;
    std::size_t said = 0;
    bool wrong = false;
    w.host("listener", [&]() -> task<> {
        auto listener = tcp::listener::bind("0.0.0.0:80").value();
        auto peer = (co_await listener.accept()).value();
        co_await pause(w, 5000);
        char last = 0;
        std::size_t of_last = 0;
        while (auto chunk = co_await peer.receive()) {
            for (const char one : text_of(*chunk)) {
                // Each write as a whole: never interleaved.
                if (of_last % size == 0) last = one;
                if (one != last) wrong = true;
                ++of_last;
            }
            heard += chunk->size();
        }
    });
    w.host("speaker", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("listener", 80))).value();
        auto write = [&](std::size_t number) -> task<> {
            co_await pause(w, 50);
            const std::string text(size, static_cast<char>('a' + number % 26));
            const auto sent = co_await peer.write_all(bytes_of(text));
            if (sent)
                said += size;
            else if (sent.cause == errc::queue_full)
                reached(probe::queue_overflowed);
            else
                wrong = true;
        };
        co_await with_scope([&](scope& all) -> task<> {
            for (std::size_t number = 0; number < writers; ++number)
                all.spawn_now(write(number), "writer");
            co_return;
        });
    });
    sim::report seen = w.run();
    seen.expect(!wrong, "two writes were mixed, or one failed");
    seen.expect(heard == said, "not all that was said");
    return seen;
}

// The power fails at some moment of committing and replacing, on a disk that may fail to sync: what
// was acknowledged is there.
sim::report durable_files(sim::world& w) {
    struct record {
        std::uint64_t offset;
        std::string text;
    };
    constexpr int versions = 4;
    std::vector<record> kept;
    int begun = 0;
    int acknowledged = 0;
    const char* wrong = nullptr;
    auto append = [&](ordered_writer& log, char who) -> task<> {
        for (int count = 0; count < 6; ++count) {
            // More than a page: what a failed sync has lost is not written anew with what follows.
            const std::string text(5000, static_cast<char>(who + count));
            const auto added = co_await log.commit(bytes_of(text));
            if (!added) co_return;
            kept.push_back({added.offset, text});
        }
    };
    auto version = [](int number) {
        return std::string(static_cast<std::size_t>(600 * number), static_cast<char>('0' + number));
    };
    auto replace = [&]() -> task<> {
        while (begun < versions) {
            const std::string text = version(++begun);
            const auto done = co_await atomic_replace("/version", bytes_of(text));
            if (!done) co_return;
            acknowledged = begun;
        }
    };
    auto work = [&]() -> task<> {
        auto opened = co_await ordered_writer::open("/log", {.way = sync_way::sync_after});
        if (!opened) co_return;
        co_await when_all(append(*opened, 'a'), append(*opened, 'j'), append(*opened, 's'),
                          replace());
        if (opened->broken()) reached(probe::writer_failed);
    };
    auto content = [](const char* name) -> task<std::string> {
        auto from = co_await file::open(name, open_read);
        if (!from) co_return std::string();
        const auto about = co_await from->status();
        std::string text(about.value().size, '?');
        const auto got = co_await from->read_exactly_at(
            std::as_writable_bytes(std::span(text.data(), text.size())), 0);
        if (!got) co_return std::string();
        co_return text;
    };
    auto look = [&]() -> task<> {
        const std::string log = co_await content("/log");
        for (const record& one : kept)
            if (log.size() < one.offset + one.text.size() ||
                log.compare(one.offset, one.text.size(), one.text) != 0)
                wrong = "a record that was acknowledged is lost";
        const std::string found = co_await content("/version");
        bool known = false;
        for (int number = acknowledged; number <= begun; ++number)
            known = known || found == version(number);
        if (!known) wrong = "a file is none of its versions";
    };
    w.host("one", [&]() -> task<> {
        if (w.starts_of("one") == 1) {
            co_await work();
            co_await sleep(1h);  // until the power is gone
        } else {
            co_await look();
        }
    });
    w.fail_power_at("one", 1 + w.chosen().below(80));
    sim::report seen = w.run();
    seen.expect(wrong == nullptr, wrong);
    return seen;
}

}  // namespace upcall_sim
