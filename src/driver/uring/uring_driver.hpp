// The io_uring driver: one ring per loop, one system call per turn.
//
// How an operation travels: `submit` fills an entry (or parks the operation when the queue is
// full), `poll` hands all entries over and waits, and each completion finds its operation through
// the entry's user data, which is the operation's address. That address stays meaningful because an
// operation is given back to its owner only when the kernel can no longer answer for it: after its
// own last completion and after that of a cancellation aimed at it.
//
// What always blocks in the kernel (metadata, syncing, regular files read and written as streams)
// goes to our own bounded pool, not to the kernel's workers. What a kernel refuses is done another
// way: poll first, then the plain call.
#pragma once

#include <atomic>

#include <upcall/base/list.hpp>

#include "driver/pool_route.hpp"
#include "driver/posix/posix_driver.hpp"
#include "driver/uring/buffer_group.hpp"
#include "driver/uring/entries.hpp"
#include "driver/uring/factory.hpp"
#include "driver/uring/file_system.hpp"
#include "driver/uring/registrations.hpp"
#include "driver/uring/ring.hpp"

namespace upcall {

class uring_driver final : public posix_driver {
  public:
    uring_driver(const driver_environment& lent, const uring_options& options) noexcept;
    ~uring_driver() override;

    /// Creates the ring, owned by the calling thread. 0 or -errno, with `step` naming what failed.
    int open(const char*& step) noexcept;

    std::string_view name() const noexcept override { return "uring"; }
    void cancel(io_operation& op) noexcept override;
    void poll(time_point deadline) noexcept override;
    void wake() noexcept override;
    void buffers_refilled() noexcept override;
    std::int64_t register_memory(byte_span memory) noexcept override;
    void forget_memory(byte_span memory) noexcept override;
    std::size_t buffers_in_stock() const noexcept override { return provided_.in_stock(); }
    /// The ring itself.
    result<native_handle> pollable() noexcept override { return ring_.fd(); }
    time_point poll_again_by() noexcept override;

  protected:
    bool submit(io_operation& op) noexcept override;
    void cancel_all(handle_record& target) noexcept override;
    posix_record* make_record() override { return new record; }
    void free_record(posix_record& left) noexcept override { delete static_cast<record*>(&left); }
    std::int64_t attach(posix_record& made) noexcept override;
    void detach(posix_record& left) noexcept override;

  private:
    /// A place costs two system calls, and saves a small part of one with each operation.
    static constexpr std::uint8_t uses_before_tabled = 32;

    struct closing_note;
    struct record : posix_record {
        /// A file whose transfers a worker of the kernel has to make.
        bool stalls = false;
        /// A file whose transfers go to the disk itself.
        bool direct = false;
        /// Operations until it is worth a place in the table of files; 0: that has been tried.
        std::uint8_t untabled = uses_before_tabled;
        /// Its place in the table of files.
        std::int16_t place = file_table::no_place;
        /// While it is being closed with operations in the kernel.
        closing_note* note = nullptr;
    };
    /// What is to be known of a closed handle until the kernel has ended all it had of it. Stays
    /// until the kernel's answer is there, even if the record is gone by then.
    struct in_closing;
    struct closing_note : list_hook<in_closing>, recycled {
        record* of = nullptr;
        /// The kernel was asked and has not answered.
        bool asked = false;
        /// How often it has answered.
        std::uint8_t times_asked = 0;
        /// When to ask again; `never` until the answer is there.
        time_point ask_again = never;
    };
    using operation_queue = queue<io_operation, &io_operation::driver_next>;

    // driver_state of an operation
    enum : std::uint16_t {
        in_kernel = 1,           // an entry is queued or submitted, its last completion is to come
        cancel_asked = 2,        // a cancel entry is queued or submitted, its completion is to come
        cancel_waiting = 4,      // a cancel entry is to be queued when there is room
        polling = 8,             // the entry is a poll; the call itself follows
        parked = 16,             // waits in `parked_` for room in the submission queue
        starved = 32,            // waits in `starved_` for a buffer
        dry = 512,               // waits in `dry_` for a provided buffer
        due = parked | starved,  // waits in `due_`: the call is to be tried
        pooled = 64,             // in the blocking pool
        done = 128,              // its outcome waits for the answer to a cancellation
        asked_for_many = 256,    // its last entry was to stay armed after a value
        set_aside = parked | starved | dry,
    };

    bool submit_to_pool(io_operation& op) noexcept;
    bool queue_entry(io_operation& op) noexcept;
    void use_registrations(uring_abi::sqe& entry, const io_operation& op) noexcept;
    void consider_tabling(record& used) noexcept;
    bool must_poll(const io_operation& op) const noexcept;
    operation_queue& queue_of(const io_operation& op) noexcept;
    void retry_starved() noexcept;
    void retry_dry() noexcept;
    bool can_retry_dry() const noexcept { return !dry_.empty() && provided_.in_stock() > 0; }
    void make_due(io_operation& op) noexcept;
    void try_due() noexcept;

    void give_up(io_operation& op) noexcept;
    void queue_cancel(io_operation& op) noexcept;
    void ask_to_end_all(const record& closing) noexcept;
    void asked_to_end_all(closing_note& note) noexcept;
    static void drop(closing_note& note) noexcept;
    void ask_again() noexcept;
    void queue_wake() noexcept;
    void queue_waiting() noexcept;

    void on_completion(const uring_abi::cqe& completion) noexcept;
    void on_operation(io_operation& op, const uring_abi::cqe& completion) noexcept;
    void on_value(io_operation& op, const uring_abi::cqe& completion) noexcept;
    void on_end(io_operation& op, std::int64_t outcome) noexcept;
    std::int64_t conclude(io_operation& op, std::int64_t outcome) noexcept;
    std::int64_t retry(io_operation& op, std::int64_t outcome) noexcept;
    void settle(io_operation& op) noexcept;

    void poll_enter(time_point deadline) noexcept;
    time_point next_question() noexcept;
    bool has_unfinished() const noexcept;
    uring_abi::sqe* room() noexcept;

    uring_options options_;
    pool_route pool_;
    ring ring_;
    stalling_mounts mounts_;
    file_table files_;
    memory_table memory_;
    buffer_group provided_;
    operation_queue parked_;
    operation_queue starved_;
    operation_queue dry_;
    operation_queue due_;
    operation_queue cancels_waiting_;
    operation_queue finish_later_;
    list<closing_note, in_closing> closing_;
    bool starved_retry_ = false;
    entry_forms forms_;

    int wake_fd_ = -1;
    std::uint64_t wake_value_ = 0;
    bool wake_armed_ = false;
    std::atomic<bool> wake_pending_{false};
};

}  // namespace upcall
