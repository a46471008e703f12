// A kernel made of data: sockets, pipes and files in memory, a clock that jumps, and an order of
// events that a seed decides.
//
// Loops over its drivers run the same code as on a real kernel, in time that jumps instead of
// passing, and run it the same way again from the same seed. docs/simulation.md has a whole
// program.
//
//     upcall::sim_kernel kernel({.seed = 7});
//     auto driver = upcall::make_sim_driver(kernel, environment);
//
// Promise: whatever it does, some real kernel may do. Only faults that are asked for happen.
// Not simulated: Unix datagrams, multicast and messages with descriptors (`unsupported`), symbolic
// links, permissions; a Unix name is free again as soon as its listener is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <upcall/driver/choices.hpp>
#include <upcall/driver/driver.hpp>

namespace upcall {

/// How often something goes wrong: so many times in a million occasions.
struct sim_faults {
    std::uint32_t short_read = 0;        // a read returns less than there is
    std::uint32_t short_write = 0;       // a write takes less than fits
    std::uint32_t reset = 0;             // a segment is answered with a reset
    std::uint32_t lost_connect = 0;      // an attempt to connect is lost; the next comes in 1 s
    std::uint32_t aborted_accept = 0;    // accept: ECONNABORTED
    std::uint32_t clog = 0;              // a segment is stuck, and what follows it, for a while
    std::uint32_t lost_datagram = 0;     // a datagram never arrives
    std::uint32_t doubled_datagram = 0;  // it arrives twice
    std::uint32_t late_datagram = 0;     // it takes late_datagram_time longer: others overtake it
    std::uint32_t file_error = 0;        // EIO
    std::uint32_t short_file_write = 0;  // a write to a file is cut short
    std::uint32_t no_space = 0;          // a write to a file: ENOSPC
    std::uint32_t slow_file = 0;         // an operation on files takes slow_file_time
    // A sync fails with EIO, and some of the pages are on the disk and some are not; the kernel
    // takes all of them for written, so that the next sync succeeds.
    std::uint32_t failed_sync = 0;
    // Of what a sync writes a page lands in the place of another of its file. Nothing tells of it
    // but what is on the disk.
    std::uint32_t misdirected_write = 0;
};

/// What a simulated kernel is like. Chances are in a million occasions, sizes in bytes.
struct sim_options {
    /// Decides every draw; see driver/choices.hpp.
    std::uint64_t seed = 1;

    // Time. Delays are drawn anew for every event.
    duration_range network_delay{std::chrono::microseconds(20), std::chrono::microseconds(200)};
    duration_range local_delay{duration(0), std::chrono::microseconds(5)};
    duration_range completion_delay{duration(0), std::chrono::microseconds(5)};
    duration_range cancel_delay{duration(0), std::chrono::microseconds(20)};
    duration_range file_latency{std::chrono::microseconds(10), std::chrono::microseconds(200)};
    duration_range clog_time{std::chrono::milliseconds(1), std::chrono::seconds(5)};
    duration_range late_datagram_time{duration(0), std::chrono::milliseconds(10)};
    /// How long data goes unacknowledged before a connection ends with timed_out.
    duration give_up_after = std::chrono::minutes(15);
    duration_range slow_file_time{std::chrono::seconds(10), std::chrono::seconds(60)};
    /// What a turn takes during which the clock stood still: a busy loop too sees time pass.
    duration turn_cost = std::chrono::microseconds(1);

    // Order and segmentation, as chances in a million.
    std::uint32_t finish_at_once = 250'000;  // what can be done at once completes inside `start`
    std::uint32_t split_batch = 100'000;     // a poll hands over only some of what is there
    std::uint32_t end_source = 20'000;       // a source ends with a value, for no reason
    std::uint32_t segment = 500'000;         // a write travels in pieces
    std::uint32_t write_back = 100'000;      // a page goes to the disk before it changes again

    // Limits.
    std::size_t send_window = std::size_t{64} << 10;  // bytes under way or not yet read
    std::size_t pipe_capacity = std::size_t{64} << 10;
    std::size_t descriptors_max = 65536;
    std::uint64_t disk_bytes = std::uint64_t{1} << 40;
    int connect_attempts = 7;  // then ETIMEDOUT

    sim_faults faults{};
};

/// A computer of the simulated network, with addresses, names, files and descriptors of its own.
/// The first is there from the beginning and has every address.
enum class sim_host : std::uint32_t { first = 0 };

/// One outcome as the program gets it.
struct sim_event {
    time_point at;
    sim_host host;
    std::uint64_t operation;  // numbered in the order in which they were started
    op_kind kind;
    std::int64_t result;
    bool last;         // false: a value of a source that goes on
    const char* task;  // who gets it
};

/// An operation in flight, and the task that it belongs to; the name is the task's own.
struct sim_waiting {
    const char* task;
    op_kind kind;
};

namespace sim {
class machine;
}

/// Shared by the drivers of one or several loops, all on one thread; outlives them.
///
/// The clock stands still while a loop has something to do, and jumps to the next event or deadline
/// when all loops wait in `poll`. With several loops a poll returns early as long as another loop
/// has not come to its own; a loop that is not run at all does not hold the others up.
class sim_kernel {
  public:
    /// Draws from `options.seed`. Throws std::bad_alloc, as may all that happens inside; there it
    /// ends the program.
    explicit sim_kernel(const sim_options& options = {});
    /// Draws from `chosen` instead: a replay.
    sim_kernel(const sim_options& options, choices chosen);
    sim_kernel(const sim_kernel&) = delete;
    sim_kernel& operator=(const sim_kernel&) = delete;
    ~sim_kernel();

    /// The virtual time, which all drivers share.
    time_point now() const noexcept;
    /// As if a computation of that length had run: for handlers that are to take time.
    void spend(duration length) noexcept;
    /// Where every draw comes from: for a test's own, too.
    choices& chosen() noexcept;

    /// A hash over every outcome so far, with its time: equal for equal runs.
    std::uint64_t digest() const noexcept;
    /// How many outcomes went into it.
    std::uint64_t outcomes() const noexcept;

    /// Called for every outcome that goes into the digest; null for none.
    void trace(void (*notify)(void* argument, const sim_event& event) noexcept,
               void* argument) noexcept;

    /// Called instead of sleeping when nothing can ever happen any more: no event, no deadline. It
    /// has to wake a driver or end the program. Without it, the poll sleeps until a wake.
    void on_stall(void (*notify)(void* argument) noexcept, void* argument) noexcept;

    /// Sockets, pipes and files that are open, whoever owns them.
    std::size_t open_descriptors() const noexcept;
    /// Closes, on the first computer, what `driver::release` or `accept` gave out and nobody
    /// adopted.
    result<void> close(native_handle native) noexcept;

    // ---- several computers ------------------------------------------------------------------

    /// Adds a computer that is on, and reaches all others and is reached by them.
    sim_host add_host();
    /// What others reach it by: 10.0.0.1 and fd00::1 for the first that was added, and so on. Its
    /// loopback addresses are its own.
    address address_of(sim_host host, std::uint16_t port,
                       address_family family = address_family::ipv4) const noexcept;

    /// The power fails: programs and connections are gone and nobody is told; of files remains
    /// what the disk holds: all that was synced, and of the rest any of the 512-byte sectors, any
    /// of the two sizes, and the first few of the changes of directories. From now on the drivers
    /// that were made for it are outside of the world: what was in flight and what is still started
    /// on them ends at once with ECANCELED, without any effect, in a time of their own, so that the
    /// remains of a program can be cleared away.
    void power_off(sim_host host);
    /// The power is back; new drivers may be made. Who still speaks to a connection of before is
    /// reset.
    void power_on(sim_host host);
    bool is_on(sim_host host) const noexcept;
    /// The programs are killed: as `power_off` to them, but the kernel lives on, closes what they
    /// had open, and loses nothing that was written.
    void kill(sim_host host);
    /// Lets the power fail in place of the outcome with that number on this computer, counted from
    /// its beginning: what the operation did has happened, and its program never learns of it.
    /// `failed` is called when that has happened; as the call of `at`.
    void fail_at(sim_host host, std::uint64_t outcome, std::function<void()> failed = {});
    /// How many outcomes its programs got so far.
    std::uint64_t outcomes(sim_host host) const noexcept;

    /// Lets nothing through from one computer to another, until it is mended; connections fall
    /// silent, and go on where they were if that is not too long.
    void cut(sim_host from, sim_host to);
    void mend(sim_host from, sim_host to);
    /// Holds up what goes from one computer to another for some time from now.
    void clog(sim_host from, sim_host to, duration length);
    /// From now on nothing goes wrong any more: no faults, and every line is mended. What went
    /// wrong before stays so, and what is late already comes late.
    void end_faults();

    /// Calls `call` at that moment, from within the poll of some driver, which then returns. The
    /// call may use everything here; it may not destroy drivers.
    void at(time_point when, std::function<void()> call);
    /// Says that every loop is run in turn: then time moves only when all of them wait. At first
    /// it is guessed from who polls: a loop that polls twice in a row is taken for the only one
    /// that is run.
    void all_are_run(bool really) noexcept;
    /// Makes the poll that is waiting, or the next that would, return.
    void interrupt() noexcept;
    /// Lets happen what comes next, when no loop is left that could wait for it. False: nothing
    /// will.
    bool pass_time();
    /// What is in flight on a computer.
    std::vector<sim_waiting> waiting(sim_host host) const;

    /// For the drivers.
    sim::machine& inside() noexcept { return *machine_; }

  private:
    std::unique_ptr<sim::machine> machine_;
};

/// A driver of the simulated kernel, which it may not outlive; of that computer, or the first.
std::unique_ptr<driver> make_sim_driver(sim_kernel& kernel, const driver_environment& lent);
std::unique_ptr<driver> make_sim_driver(sim_kernel& kernel, sim_host on,
                                        const driver_environment& lent);

}  // namespace upcall
