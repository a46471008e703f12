// A world of simulated hosts: programs as they are, on one thread, in time that jumps, under faults
// that one number decides.
//
//     sim::world w(seed);
//     w.service("server", [] { return serve("0.0.0.0:7000"); });
//     w.host("client", [&] { return ask(w.address_of("server", 7000)); });
//     const sim::report seen = w.run();
//     if (!seen) std::puts(seen.text().c_str());
//
// Each host has a loop, addresses, files and descriptors of its own. Its power may fail and come
// back, its lines may be cut and mended. sim/seeds.hpp tries many seeds and makes failures smaller;
// docs/simulation.md is the guide.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <upcall/driver/sim_kernel.hpp>
#include <upcall/sim/report.hpp>
#include <upcall/task/task.hpp>

namespace upcall::sim {

/// Classes of faults, as bits: world_options::without switches them off, whatever else asks for
/// them.
enum class fault : std::uint32_t {
    short_transfers = 1,       // sim_faults::short_read, short_write, short_file_write
    resets = 2,                // sim_faults::reset
    lost_connects = 4,         // sim_faults::lost_connect
    aborted_accepts = 8,       // sim_faults::aborted_accept
    clogs = 16,                // sim_faults::clog
    file_errors = 32,          // sim_faults::file_error, failed_sync, no_space, slow_file
    power = 64,                // world::fail_power_sometimes
    kills = 128,               // world::kill_sometimes
    partitions = 256,          // world::part_sometimes
    misdirected_writes = 512,  // sim_faults::misdirected_write
    datagrams = 1024,          // sim_faults::lost_datagram, doubled_datagram, late_datagram
};

/// The highest bit of them.
inline constexpr auto fault_last = fault::datagrams;

/// When a run is given up.
struct world_limits {
    duration time = std::chrono::hours(24);  // by the clock of the world
    std::uint64_t outcomes = 2'000'000;
    std::uint64_t turns = 10'000'000;  // of loops: a program that spins takes no time otherwise
};

/// What a world is made with.
struct world_options {
    sim_options kernel{};
    world_limits limits{};
    /// Lets the seed choose which of the faults asked for this run has, and how often, so that some
    /// runs have few and some have many.
    bool vary_faults = false;
    /// Bits of `fault`.
    std::uint32_t without = 0;
    /// Lines of the trace that are kept for the report.
    std::size_t trace_lines = 100;
};

/// How often something happens to a host, when, and for how long; all of it is drawn.
struct mishaps {
    unsigned most = 1;  // times
    duration_range when{duration(0), std::chrono::seconds(1)};
    duration_range lasts{std::chrono::milliseconds(1), std::chrono::seconds(1)};
};

/// Used on one thread, which runs no loop. Names of hosts that do not exist are fatal errors.
///
/// What is done to hosts may be called before `run`, from `at`, and from tasks of any host.
class world {
  public:
    using program = std::function<task<>()>;

    /// Decided by `seed`, or by that of `options`. Throws std::bad_alloc.
    explicit world(std::uint64_t seed);
    explicit world(const world_options& options);
    /// Takes its choices from `chosen`: a run again, exactly or edited.
    world(const world_options& options, choices chosen);
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    /// Adds a host. `main` is called on its loop when the run begins, and again at every restart;
    /// the run goes on until the task that it made has ended. An exception that leaves it is a
    /// failure of the run.
    void host(std::string name, program main);
    /// A host that serves others: when all that are not services have ended, it is asked to stop
    /// (contract, 6): accepting and idle reads end.
    void service(std::string name, program main);

    /// Runs it all to its end, once. What is left of the hosts then is cleared away: their
    /// operations end with ECANCELED and no effect.
    report run();

    /// Where a host is to be found.
    address address_of(std::string_view name, std::uint16_t port,
                       address_family family = address_family::ipv4) const;
    /// Since the beginning.
    duration elapsed() const noexcept;
    /// For a test's own choices, which are then decided by the seed, too.
    choices& chosen() noexcept;
    const sim_kernel& kernel() const noexcept;

    /// Calls `call` when that much time has passed since the beginning, from between the hosts'
    /// turns. It must not throw.
    void at(duration when, std::function<void()> call);

    // ---- hosts -------------------------------------------------------------------------------

    /// The power of a host fails. Its program sees every operation end with ECANCELED and no
    /// effect, and is cancelled; peers hear nothing; what its disk holds remains. What tasks still
    /// do to variables of the test is real: let them write there only what an operation returned.
    void fail_power(std::string_view name);
    /// Only the program dies: its kernel closes what it had open and keeps what it wrote.
    void kill(std::string_view name);
    /// Starts `main` anew, with the power if need be. Nothing happens if it is running.
    void restart(std::string_view name);
    /// Lets the power fail in place of one outcome of this host, counted from the beginning, and
    /// restarts it after `lasts`. To fail at every step of a program: 1, 2, 3, … until
    /// `outcomes_of` is less.
    void fail_power_at(std::string_view name, std::uint64_t outcome,
                       duration lasts = std::chrono::milliseconds(10));
    std::uint64_t outcomes_of(std::string_view name) const;
    /// How often its program was started.
    unsigned starts_of(std::string_view name) const;

    /// As `fail_power` and `kill`, each with a restart, at moments that are drawn.
    void fail_power_sometimes(std::string_view name, const mishaps& how = {});
    void kill_sometimes(std::string_view name, const mishaps& how = {});

    // ---- lines -------------------------------------------------------------------------------

    /// Nothing goes from one to the other any more, and nobody is told; connections go on when it
    /// is mended, unless they gave up.
    void cut(std::string_view from, std::string_view to);
    /// Both ways.
    void part(std::string_view one, std::string_view other);
    void mend(std::string_view one, std::string_view other);
    /// Parts it from all others, and mends that.
    void isolate(std::string_view name);
    void rejoin(std::string_view name);
    void part_sometimes(std::string_view one, std::string_view other, const mishaps& how = {});

    /// From now on nothing goes wrong any more: no faults, every line mended, and none of what was
    /// to happen `_sometimes`; hosts whose power is to come back get it back. For what must hold on
    /// a good day, or that programs get over what they went through.
    void end_faults();

  private:
    class inside;
    std::unique_ptr<inside> inside_;
};

}  // namespace upcall::sim
