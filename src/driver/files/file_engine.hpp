// A kernel interface that reads and writes files while the loop of a readiness driver goes on, in
// place of the pool's threads.
//
//     submit ──taken──▶ in the engine ──collect──▶ its value
//        └─not_mine─▶ the pool ◀──would_block──┘
//
// An engine takes what its interface does without blocking, and leaves the rest to the pool. What
// the kernel would have to wait for after all comes back and goes there, too.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string_view>

#include <upcall/base/clock.hpp>
#include <upcall/base/list.hpp>
#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// All calls from the loop's thread.
class file_engine {
  public:
    using operations = queue<io_operation, &io_operation::driver_next>;

    /// A result that `collect` may bring: nothing has happened, the pool has to do it.
    static constexpr std::int64_t would_block = -EAGAIN;

    enum class answer : std::uint8_t {
        taken,     // `collect` brings it, or `withdraw` takes it back
        finished,  // the outcome is in op.result
        not_mine,  // for the pool; nothing has been done
    };

    file_engine() = default;
    file_engine(const file_engine&) = delete;
    file_engine& operator=(const file_engine&) = delete;
    /// Nothing is in the engine any more.
    virtual ~file_engine() = default;

    /// Creates what it needs: 0 or a raw error. Once, before anything else.
    virtual std::int64_t open() noexcept = 0;

    virtual std::string_view name() const noexcept = 0;

    /// Becomes readable when something has ended; -1: `driver::wake` tells, or `wait`.
    virtual int fd() const noexcept = 0;

    /// Takes a file_read or file_write.
    virtual answer submit(io_operation& op) noexcept = 0;

    /// Gives the kernel what `submit` has kept to hand over at once. Before each wait.
    virtual void hand_over() noexcept {}

    /// Until when the driver may wait for descriptors; an engine that nothing tells waits here.
    virtual time_point wait(time_point deadline) noexcept { return deadline; }

    /// Appends what has ended, results set, after each wait. `told`: fd() was reported readable.
    virtual void collect(operations& ended, bool told) noexcept = 0;

    /// By when `collect` is to be called although nothing tells; `time_point::min()`: at once.
    virtual time_point collect_by() noexcept = 0;

    /// Takes an operation back of which nothing has been done. False: `collect` will bring it.
    virtual bool withdraw(io_operation& op) noexcept = 0;

    /// The same for all on `target`: those that were taken back.
    virtual void withdraw_all(const handle_record& target, operations& withdrawn) noexcept = 0;

    /// The file is about to be closed or given away, with nothing in flight.
    virtual void forget(const handle_record& file) noexcept { static_cast<void>(file); }
};

}  // namespace upcall
