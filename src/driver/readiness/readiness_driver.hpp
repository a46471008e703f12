// The one adapter that makes a completion driver of any poller.
//
// An operation is tried at once when its direction is idle and a call is likely to succeed; else it
// waits in its handle's queue for that direction, and each event runs the queue from the front
// until a call would block. That is all the order a stream needs: one call in flight per direction,
// oldest first.
//
//     submit ──▶ tried ──value──▶ finished in place
//                  └─would block─▶ waiting ──event: tried again──▶ completion
//                                     ├─no buffer──▶ starved ──buffers_refilled──▶ tried again
//                                     └─cancel─▶ -ECANCELED: a waiting operation has done nothing
//
// Files, and whatever the poller does not take, go to the pool; or, where one was chosen, transfers
// at an offset to a file engine (files/file_engine.hpp).
//
// Today's constants: one event runs at most 16 operations per direction, the rest has its turn
// after the other handles; what waits for room in the queue of a Unix socket that it is not
// connected to is tried every 2 ms.
//
// A descriptor that its owner closes while a `foreign` handle watches it: poll, select and sigio
// complete the waiting operation with EBADF; epoll and kqueue learn nothing, and it waits until it
// is cancelled. The next operation completes with EBADF on all of them.
#pragma once

#include <memory>

#include "driver/files/file_engine.hpp"
#include "driver/pool_route.hpp"
#include "driver/readiness/readiness_record.hpp"
#include "driver/readiness/watch_table.hpp"

namespace upcall {

class readiness_driver final : public posix_driver {
  public:
    /// `watcher` was opened.
    readiness_driver(const driver_environment& lent, std::unique_ptr<poller> watcher) noexcept;
    ~readiness_driver() override;

    std::string_view name() const noexcept override { return poller_->name(); }
    void cancel(io_operation& op) noexcept override;
    void poll(time_point deadline) noexcept override;
    void wake() noexcept override { poller_->wake(); }
    void buffers_refilled() noexcept override { refilled_ = true; }
    result<native_handle> pollable() noexcept override;
    time_point poll_again_by() noexcept override;
    file_transfer_counts file_transfers() const noexcept override { return transfers_; }

    /// Transfers of files go to `engine` from here on, which was not opened yet. 0 or a raw error:
    /// then they go to the pool, as before. Once, before any operation.
    std::int64_t use(std::unique_ptr<file_engine> engine) noexcept;

  protected:
    bool submit(io_operation& op) noexcept override;
    void cancel_all(handle_record& target) noexcept override;
    bool returned(io_operation& op) noexcept override;
    posix_record* make_record() override { return new readiness_record; }
    void free_record(posix_record& record) noexcept override;
    std::int64_t attach(posix_record& record) noexcept override;
    void detach(posix_record& record) noexcept override;

  private:
    using record = readiness_record;
    using operations = record::operations;

    /// Where an operation is, in its driver_state. `elsewhere`: with a helper of somebody else's.
    enum place : std::uint8_t { elsewhere, in_reading, in_writing, in_polling, in_pool, in_engine };

    static record& record_of(handle_record& target) noexcept {
        return static_cast<record&>(target);
    }
    static operations& queue_of(record& of, std::uint16_t where) noexcept;

    std::int64_t watch_record(record& added) noexcept;
    std::int64_t renew_watch(record& target, std::uint32_t interest) noexcept;
    bool submit_to_pool(io_operation& op) noexcept;
    bool submit_transfer(io_operation& op) noexcept;
    void collect_transfers() noexcept;
    bool submit_in_order(io_operation& op, record& target) noexcept;
    bool submit_poll(io_operation& op, record& target) noexcept;
    bool wait_in(place where, io_operation& op, record& target) noexcept;
    void next_to_pool(record& target, place where) noexcept;

    bool attempt(io_operation& op, record& target) noexcept;
    std::int64_t attempt_connect(io_operation& op, record& target) noexcept;
    void tell_taken_error(io_operation& op, record& target) noexcept;
    void refuse_unwatchable(io_operation& accepted) noexcept;
    void note_would_block(const io_operation& op, record& target) noexcept;
    void note_short_read(const io_operation& op, record& target) noexcept;
    void complete(io_operation& op) noexcept { finish(op, op.result); }
    void withdraw(io_operation& op) noexcept;

    void handle_event(const poll_event& event) noexcept;
    void run(record& target) noexcept;
    bool run_direction(record& target, operations& waiting, std::uint32_t hint) noexcept;
    void run_polls(record& target) noexcept;
    void arm(record& target) noexcept;
    void run_again(record& target) noexcept;
    void run_drain() noexcept;
    void run_starved() noexcept;
    void run_retries() noexcept;

    std::unique_ptr<poller> poller_;
    const bool edge_triggered_;
    bool refilled_ = false;
    /// When `retries_` are due, once it was asked for; `never` since the last poll.
    time_point retry_at_ = never;
    pool_route pool_;
    std::unique_ptr<file_engine> engine_;
    watch engine_watch_;
    bool engine_told_ = false;
    file_transfer_counts transfers_{.engine = "pool"};
    watch_table table_;
    list<record, in_drain> drain_;
    list<record, in_starved> starved_;
    list<record, in_retry> retries_;
};

}  // namespace upcall
