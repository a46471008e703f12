// The system suite: whole servers with their clients, under what they promise to survive.
#include <chrono>
#include <functional>
#include <string>

#include "sim/echo_program.hpp"
#include "sim/log_program.hpp"
#include "sim/site_program.hpp"
#include "sim/site_reader.hpp"
#include "sim/suites.hpp"

namespace upcall_sim {
namespace {

using namespace upcall;
using namespace std::chrono_literals;

constexpr std::uint32_t numbers = 60;
constexpr std::uint32_t echo_clients = 4;
constexpr std::uint32_t messages = 900;
constexpr std::uint32_t site_readers = 3;
constexpr unsigned visits = 20;

sim::report run(sim::world& w) {
    ledger kept[log_clients];
    std::string wrong[echo_clients];
    site_board site(w);
    // When all of it has been gone through, nothing goes wrong any more.
    std::uint32_t busy = log_clients + echo_clients + site_readers;
    const std::function<void()> one_is_done = [&] {
        if (--busy > 0) return;
        w.end_faults();
        site.calm = true;
    };
    // What a failed sync left behind shows only if the power fails before it is written anew.
    unsigned losses = 3;
    const std::function<void()> lose_power_soon = [&] {
        if (losses == 0 || w.chosen().below(3) != 2) return;
        --losses;
        w.at(w.elapsed() + std::chrono::microseconds(w.chosen().below(2000)), [&] {
            w.fail_power("log");
            w.at(w.elapsed() + 10ms, [&] { w.restart("log"); });
        });
    };
    w.service("log", [&] { return keep_log(lose_power_soon); });
    w.service("echo", serve_echo);
    for (std::uint32_t client = 0; client < log_clients; ++client)
        w.host("writer " + std::to_string(client), [&, client]() -> task<> {
            co_await use_log(w.address_of("log", log_port), client, numbers, kept[client]);
            one_is_done();
        });
    for (std::uint32_t client = 0; client < echo_clients; ++client)
        w.host("speaker " + std::to_string(client), [&, client]() -> task<> {
            co_await use_echo(w.address_of("echo", echo_port), client, messages, wrong[client]);
            one_is_done();
        });
    w.service("site", [&] { return serve_site(site); });
    for (std::uint32_t reader = 0; reader < site_readers; ++reader)
        w.host("reader " + std::to_string(reader),
               [&] { return read_site(site, "site", visits, one_is_done); });
    const duration_range while_busy{0s, 500ms};
    w.fail_power_sometimes("log", {.most = 4, .when = while_busy, .lasts = {1ms, 500ms}});
    w.kill_sometimes("log", {.most = 2, .when = while_busy, .lasts = {1ms, 100ms}});
    w.fail_power_sometimes("echo", {.most = 2, .when = while_busy, .lasts = {1ms, 500ms}});
    w.part_sometimes("writer 0", "log", {.most = 2, .when = while_busy, .lasts = {1ms, 30s}});
    w.part_sometimes("speaker 0", "echo", {.most = 2, .when = while_busy, .lasts = {1ms, 30s}});
    w.fail_power_sometimes("site", {.most = 2, .when = while_busy, .lasts = {1ms, 500ms}});
    w.part_sometimes("reader 0", "site", {.most = 1, .when = while_busy, .lasts = {1ms, 30s}});
    sim::report seen = w.run();
    if (w.starts_of("log") > 1) reached(probe::log_restarted);
    for (const ledger& one : kept) {
        seen.expect(one.wrong.empty(), one.wrong.c_str());
        seen.expect(one.acknowledged >= numbers, "a writer did not come to its end");
    }
    for (const std::string& one : wrong) seen.expect(one.empty(), one.c_str());
    seen.expect(site.wrong.empty(), site.wrong.c_str());
    seen.expect(w.kernel().open_descriptors() == 0, "something was left open");
    return seen;
}

}  // namespace

suite system_suite() {
    sim::world_options options;
    options.vary_faults = true;
    auto& faults = options.kernel.faults;
    faults.short_read = 50'000;
    faults.short_write = 50'000;
    faults.short_file_write = 100'000;
    faults.reset = 500;
    faults.lost_connect = 100'000;
    faults.aborted_accept = 50'000;
    faults.clog = 200;
    faults.failed_sync = 50'000;
    faults.slow_file = 1'000;
    options.kernel.clog_time = {1ms, 2s};
    return {"system",
            run,
            options,
            {probe::torn_log_recovered, probe::snapshot_taken_over, probe::sync_failed,
             probe::ack_repeated, probe::log_restarted, probe::connection_broken,
             probe::answer_timed_out, probe::site_stopped_busy, probe::site_was_full,
             probe::slow_reader_served}};
}

}  // namespace upcall_sim
