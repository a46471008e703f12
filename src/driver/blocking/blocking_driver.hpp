// One thread for each operation that waits: what asynchronous I/O replaces, kept as a baseline to
// measure against and as a driver with nothing to hide.
//
// An operation is handed to a thread of the driver's own pool, which waits for the descriptor and
// for its own signal to give up, makes the call and brings the outcome back. Of each handle and
// direction one operation at a time is with a thread; the others wait their turn on the loop.
// Buffers for `receive` and the state of a `connect` are the loop's, and of what is accepted
// nothing may be on its way unseen: there the thread only waits, and the call is made on the loop
// when it returns.
//
// Bounds: at most `threads_max` threads, each with a descriptor of its own and a stack of 64 KiB.
// Operations past that wait for a thread, so a program in which as many operations as there are
// threads wait for one that has none comes to a halt; this is what the other drivers are for.
#pragma once

#include <mutex>

#include <upcall/driver/learns_late.hpp>

#include "driver/pool_route.hpp"
#include "driver/posix/posix_driver.hpp"
#include "driver/posix/wake_signal.hpp"

namespace upcall {

struct starved_for_buffer;

struct blocking_record : posix_record, list_hook<starved_for_buffer> {
    using operations = queue<io_operation, &io_operation::driver_next>;

    /// One direction: who is with a thread, or waits for a buffer, and who comes next.
    struct direction {
        io_operation* running = nullptr;
        operations waiting;
    };
    direction reading;
    direction writing;
    /// The kernel is working on a connect.
    bool connecting = false;
    /// Is being closed: threads do not begin with its operations any more. Under the driver's lock.
    bool ending = false;
};

class blocking_driver final : public posix_driver, public learns_late {
  public:
    static constexpr std::size_t threads_max = 4096;

    explicit blocking_driver(const driver_environment& lent);
    ~blocking_driver() override;

    /// 0 or a negated errno. Once, before anything else.
    std::int64_t open() noexcept { return wake_.open(); }

    std::string_view name() const noexcept override { return "blocking"; }
    void cancel(io_operation& op) noexcept override;
    void look_again(io_source& source) noexcept override;
    void poll(time_point deadline) noexcept override;
    void wake() noexcept override { wake_.raise(); }
    void buffers_refilled() noexcept override { refilled_ = true; }
    /// All that completes comes from threads, and so with the signal.
    result<native_handle> pollable() noexcept override { return wake_.fd(); }
    time_point poll_again_by() noexcept override { return refilled_ ? time_point::min() : never; }

  protected:
    bool submit(io_operation& op) noexcept override;
    void cancel_all(handle_record& target) noexcept override;
    bool returned(io_operation& op) noexcept override;
    posix_record* make_record() override { return new blocking_record; }
    void free_record(posix_record& left) noexcept override {
        delete &static_cast<blocking_record&>(left);
    }

  private:
    using record = blocking_record;

    enum : std::uint8_t {
        in_pool = 1,       // with the pool that all drivers use
        waits_turn = 2,    // in the queue of its direction
        on_thread = 4,     // handed over; the lock guards what follows
        asked_to_end = 8,  // by `cancel`, while it is with a thread
        starved = 16,      // waits for a buffer
    };

    /// What one thread of the pool has of its own.
    struct thread_state : list_hook<thread_state> {
        wake_signal give_up;
        io_operation* op = nullptr;
        bool opened = false;
    };

    static record& record_of(handle_record& target) noexcept {
        return static_cast<record&>(target);
    }
    static record::direction* direction_of(const io_operation& op) noexcept;

    bool hand_over(io_operation& op) noexcept;
    bool hand_to_pool(io_operation& op) noexcept;
    void next(record::direction& of) noexcept;
    void go_on_on_loop(io_operation& op) noexcept;
    std::int64_t go_on_connecting(io_operation& op) noexcept;
    void settle_cancelled(io_operation& op) noexcept;
    void resume_starved() noexcept;

    // On the pool's threads:
    static void run_on_thread(pool_job& job) noexcept;
    static bool is_for(const pool_job& job, const void* target) noexcept;
    std::int64_t serve(io_operation& op, thread_state& own) noexcept;
    static std::int64_t wait_and_call(io_operation& op, thread_state& own) noexcept;
    static bool wait_for(const io_operation& op, thread_state& own) noexcept;

    wake_signal wake_;
    bool refilled_ = false;
    list<record, starved_for_buffer> starved_;
    pool_route pool_;
    std::mutex lock_;
    list<thread_state, thread_state> serving_;
    blocking_pool threads_;  // last: its threads use all of the above until it has joined them
};

}  // namespace upcall
