// Tests a small server in a simulated kernel, under faults, once for each of many seeds. A run that
// went wrong is told by its seed, and the same seed runs it again, step by step.
//
//     simulated_server [FIRST_SEED [HOW_MANY]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <upcall/driver/sim_kernel.hpp>
#include <upcall/runtime/program.hpp>
#include <upcall/upcall.hpp>

using namespace upcall;

namespace {

// ---- the server under test: nothing in it knows of the simulator ------------------------------

task<> echo(tcp::stream peer) {
    while (auto chunk = co_await peer.receive()) {
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) break;
    }
}

task<> serve(tcp::listener& listener) {
    co_await with_scope([&](scope& connections) -> task<> {
        while (auto peer = co_await listener.accept())
            connections.spawn_now(echo(std::move(*peer)), "echo");
    });
}

// ---- the test ---------------------------------------------------------------------------------

constexpr int clients = 5;

struct tally {
    int whole = 0;   // everything came back
    int broken = 0;  // a fault ended the connection, and somebody was told
    bool wrong = false;
};

task<bool> say(tcp::stream& to, const std::string& text) {
    const auto sent = co_await to.write_all(bytes_of(text));
    if (!sent) co_return false;
    const auto ended = co_await to.shut_down_writing();
    co_return ended.has_value();
}

// What comes back is what was sent: all of it, or its beginning and then an error. A kernel tells
// of a reset once, and that may be the writer.
task<> ask(address where, tally& seen) {
    auto peer = co_await tcp::connect(where);
    if (!peer) {
        ++seen.broken;
        co_return;
    }
    std::string text(20'000, '?');
    for (std::size_t at = 0; at < text.size(); ++at) text[at] = static_cast<char>('a' + at % 23);
    std::string answer;
    std::error_code end;
    auto listen = [&]() -> task<> {
        while (!end) {
            auto chunk = co_await peer->receive();
            if (chunk)
                answer += text_of(*chunk);
            else
                end = chunk.error();
        }
    };
    const auto [said, heard] = co_await when_all(say(*peer, text), listen());
    const bool told = !said || end != errc::end_of_stream;
    const bool whole = answer == text;
    ++(whole ? seen.whole : seen.broken);
    if (!text.starts_with(answer)) seen.wrong = true;
    if (!whole && !told) seen.wrong = true;  // cut short, and nobody knows
}

task<> test(tally& seen) {
    auto listener = tcp::listener::bind("127.0.0.1:7000").value();
    co_await with_scope([&](scope& all) -> task<> {
        auto server = all.async(serve(listener), "server");
        co_await with_scope([&](scope& asking) -> task<> {
            for (int each = 0; each < clients; ++each)
                asking.spawn_now(ask(listener.local_address().value(), seen), "client");
            co_return;
        });
        server.stop();  // accepting ends; what is still open is served to its end
        co_await server.join();
    });
}

struct outcome {
    tally seen;
    std::uint64_t digest;  // equal for equal runs
    std::size_t left_open;
};

outcome run_once(std::uint64_t seed) {
    sim_options world;
    world.seed = seed;
    world.faults.reset = 2'000;  // in a million segments
    world.faults.short_read = 200'000;
    world.faults.short_write = 200'000;
    world.faults.aborted_accept = 100'000;
    world.faults.lost_connect = 100'000;
    sim_kernel kernel(world);
    loop_options options;
    // Which of the tasks that are ready goes first is chosen by the seed, too.
    options.choose = [&](std::size_t count) {
        return static_cast<std::size_t>(kernel.chosen().below(count));
    };
    outcome found{};
    {
        auto home = loop::create(
            [&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
                return make_sim_driver(kernel, lent);
            },
            options);
        program running(**home);
        running.tasks().spawn_now(test(found.seen), "test");
        if (const auto why = running.run()) std::rethrow_exception(why);
    }
    found.digest = kernel.digest();
    found.left_open = kernel.open_descriptors();
    return found;
}

}  // namespace

int main(int count, char** words) {
    const std::uint64_t first = count > 1 ? std::strtoull(words[1], nullptr, 10) : 1;
    const std::uint64_t seeds = count > 2 ? std::strtoull(words[2], nullptr, 10) : 100;
    int whole = 0;
    int broken = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        const outcome found = run_once(seed);
        whole += found.seen.whole;
        broken += found.seen.broken;
        const bool good = !found.seen.wrong && found.left_open == 0 &&
                          found.seen.whole + found.seen.broken == clients;
        if (good && run_once(seed).digest == found.digest) continue;
        std::printf("seed %llu: wrong\n", static_cast<unsigned long long>(seed));
        return 1;
    }
    std::printf("%llu seeds: %d connections whole, %d broken by faults, none wrong\n",
                static_cast<unsigned long long>(seeds), whole, broken);
    return 0;
}
