#include "sim/log_program.hpp"

#include "sim/log_store.hpp"
#include "sim/planted.hpp"
#include "sim/probes.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

task<> keep(log_store& store, mutex& appending, ask what) {
    if (has(bug::appends_without_lock)) {
        if (what.number == store.last(what.client).number + 1) co_await store.append(what);
        co_return;
    }
    if (has(bug::acks_from_memory) && what.number <= store.last(what.client).number) co_return;
    auto held = co_await appending.lock();
    if (!held) co_return;
    const answer& last = store.last(what.client);
    if (what.number == last.number + 1)
        co_await store.append(what);
    else if (what.number != 0)
        reached(probe::ack_repeated);
}

task<> serve(log_store& store, mutex& appending, tcp::stream peer) {
    for (;;) {
        ask what;
        const auto heard = co_await timeout(1min, peer.read_exactly(bytes_in(what)));
        if (!heard || what.client >= clients_max) break;
        co_await keep(store, appending, what);
        answer said = store.last(what.client);
        const auto sent = co_await timeout(1min, peer.write_all(bytes_in(said)));
        if (!sent) break;
    }
}

/// What is wrong with an answer, if anything.
const char* fault_of(const answer& said, const ledger& known, std::uint32_t client) {
    if (said.number < known.acknowledged) return "an acknowledged number is lost";
    if (said.number > known.asked) return "the log has what nobody asked for";
    if (said.payload != payload_of(client, static_cast<std::uint32_t>(said.number)))
        return "a number is damaged";
    return nullptr;
}

task<bool> ask_once(tcp::stream& log, ask what, ledger& kept) {
    // Now and then it goes away before the answer, and comes back to hear it.
    const bool hurries = what.number > kept.asked && what.number % 4 == 3;
    const duration patience = hurries ? duration(1ms) : duration(5s);
    kept.asked = std::max<std::uint64_t>(kept.asked, what.number);
    const auto sent = co_await timeout(5s, log.write_all(bytes_in(what)));
    answer said;
    const auto heard = co_await timeout(patience, log.read_exactly(bytes_in(said)));
    if (!sent || !heard) {
        const bool late = heard.cause == errc::deadline_exceeded;
        reached(late ? probe::answer_timed_out : probe::connection_broken);
        co_return false;
    }
    if (const char* wrong = fault_of(said, kept, what.client)) kept.wrong = wrong;
    kept.acknowledged = std::max(kept.acknowledged, said.number);
    co_return true;
}

}  // namespace

task<> keep_log(const std::function<void()>& on_failed_sync) {
    log_store store(on_failed_sync);
    co_await store.open();
    mutex appending;
    auto listener = tcp::listener::bind(address::ipv4({}, log_port)).value();
    co_await with_scope([&](scope& all) -> task<> {
        while (auto peer = co_await listener.accept())
            all.spawn_now(serve(store, appending, std::move(*peer)), "log connection");
    });
}

task<> use_log(address where, std::uint32_t client, std::uint32_t count, ledger& kept) {
    while (kept.acknowledged < count && kept.wrong.empty()) {
        auto log = co_await timeout(10s, tcp::connect(where));
        if (!log) {
            if (log.error() == errc::cancelled) co_return;
            co_await sleep(100ms);
            continue;
        }
        // What was asked for and not answered may be kept or not: half of the clients ask for it
        // again at once, the others look first.
        const bool asks_again = client % 2 == 0 && kept.asked > kept.acknowledged;
        const auto first = asks_again ? static_cast<std::uint32_t>(kept.asked) : 0;
        bool goes_on = co_await ask_once(*log, {client, first}, kept);
        while (goes_on && kept.acknowledged < count && kept.wrong.empty()) {
            const auto next = static_cast<std::uint32_t>(kept.acknowledged + 1);
            goes_on = co_await ask_once(*log, {client, next}, kept);
        }
    }
}

}  // namespace upcall_sim
