// A small log with a promise: a number that it has acknowledged is there after a power failure. The
// test looks for a seed that breaks the promise, makes the failure smaller, and saves it.
//
//     simulated_log                  no seed does
//     simulated_log --forget FILE    the log forgets to sync the directory that its file is new in;
//                                    the failure goes to FILE
//     simulated_log --replay FILE    that run again
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <upcall/sim/seeds.hpp>
#include <upcall/upcall.hpp>

using namespace upcall;
using namespace std::chrono_literals;

namespace {

// ---- the program under test: nothing in it knows of the simulator ------------------------------

bool forgets_the_directory = false;

struct record {
    std::uint64_t number = 0;
    std::uint64_t check = ~number;
};

template <class T>
byte_span bytes_in(T& value) {
    return {reinterpret_cast<std::byte*>(&value), sizeof value};
}

task<file> open_log() {
    file log = (co_await file::open("/log", open_read | open_write | open_create)).value();
    if (!forgets_the_directory) {
        file directory = (co_await file::open("/", open_read | open_directory)).value();
        const auto synced = co_await directory.sync();
        if (!synced) throw std::system_error(synced.error());
    }
    co_return log;
}

/// Keeps the number that comes after the last, and answers every number with the last.
task<> keep_log() {
    file log = co_await open_log();
    record last{};
    std::uint64_t end = 0;
    for (;;) {
        record next;
        const auto got = co_await log.read_at(bytes_in(next), end);
        if (!got || *got < sizeof next) break;
        if (next.check != ~next.number) break;  // it was being written when the power failed
        last = next;
        end += sizeof next;
    }
    auto listener = tcp::listener::bind("0.0.0.0:7000").value();
    for (;;) {
        auto peer = co_await listener.accept();
        if (!peer) break;
        for (;;) {
            std::uint64_t asked = 0;
            const auto heard = co_await timeout(1min, peer->read_exactly(bytes_in(asked)));
            if (!heard) break;
            if (asked == last.number + 1) {
                last = {.number = asked, .check = ~asked};
                const transfer wrote = co_await log.write_all_at(bytes_in(last), end);
                const auto synced = co_await log.sync();
                if (!wrote || !synced) throw std::runtime_error("the disk fails");
                end += sizeof last;
            }
            const auto sent = co_await peer->write_all(bytes_in(last.number));
            if (!sent) break;
        }
    }
}

// ---- the test ---------------------------------------------------------------------------------

/// Yields the answer; nothing when there is none.
task<std::optional<std::uint64_t>> ask(tcp::stream& log, std::uint64_t number) {
    const auto sent = co_await log.write_all(bytes_in(number));
    if (!sent) co_return std::nullopt;
    const auto answered = co_await timeout(5s, log.read_exactly(bytes_in(number)));
    if (!answered) co_return std::nullopt;
    co_return number;
}

sim::report scenario(sim::world& w) {
    std::uint64_t acknowledged = 0;
    bool lost = false;
    w.service("log", keep_log);
    w.host("client", [&]() -> task<> {
        while (acknowledged < 20 && !lost) {
            auto log = co_await timeout(5s, tcp::connect(w.address_of("log", 7000)));
            if (!log && log.error() == errc::cancelled) break;
            if (!log) continue;
            while (acknowledged < 20 && !lost) {
                const auto last = co_await ask(*log, acknowledged + 1);
                if (!last) break;
                if (*last < acknowledged) lost = true;
                acknowledged = *last;
            }
        }
    });
    w.fail_power_sometimes("log", {.most = 3, .when = {0s, 20ms}, .lasts = {1ms, 1s}});
    sim::report seen = w.run();
    seen.expect(!lost, "an acknowledged number is lost");
    return seen;
}

int look_for_failures(const char* path) {
    const sim::survey seen = sim::try_seeds(scenario, {.count = 1000});
    if (!seen.failure) {
        std::printf("%llu seeds, and nothing was lost\n",
                    static_cast<unsigned long long>(seen.tried));
        return 0;
    }
    const sim::report small = sim::shrink(scenario, *seen.failure);
    std::fputs(small.text().c_str(), stdout);
    if (path && !sim::save(small, path)) std::printf("cannot write %s\n", path);
    return 1;
}

int replay(const char* path) {
    const auto saved = sim::load(path);
    if (!saved) {
        std::printf("cannot read %s: %s\n", path, saved.error().message().c_str());
        return 2;
    }
    const sim::report seen = sim::replay(scenario, *saved);
    std::fputs(seen.text().c_str(), stdout);
    return seen.ok() ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count == 3 ? words[1] : "";
    forgets_the_directory = !what.empty();
    if (what == "--replay") return replay(words[2]);
    if (what == "--forget" || count == 1) return look_for_failures(count == 3 ? words[2] : nullptr);
    std::puts("usage: simulated_log [--forget FILE | --replay FILE]");
    return 2;
}
