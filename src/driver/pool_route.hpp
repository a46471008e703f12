// The way of a driver's operations through the pool of threads and back: file_read, file_write,
// file_call and work, and whatever else the driver cannot wait for.
//
//     submit ──▶ queued ──▶ runs on a pool thread ──▶ finish_elsewhere ──▶ completion
//                  └─cancel─▶ -ECANCELED ────────────────┘
//
// An operation that is running cannot be interrupted: its cancellation has no effect, and its value
// is delivered.
#pragma once

#include <upcall/driver/driver.hpp>
#include <upcall/pool/blocking_pool.hpp>

namespace upcall {

class pool_route {
  public:
    pool_route(driver& owner, blocking_pool* pool = nullptr) noexcept
        : owner_(owner), pool_(pool ? *pool : blocking_pool::shared()) {}

    /// As driver::submit. True: the pool refused it, and op.result says why; `no_buffer` for a
    /// `receive` while the buffer pool is empty.
    bool submit(io_operation& op) noexcept;

    /// Asks for the end of an operation that `submit` has taken.
    void cancel(io_operation& op) noexcept;

    /// The same for all operations on `target`, which is being closed.
    void cancel_all(handle_record& target) noexcept;

    /// What only the pool can do, on every driver that has one.
    static bool takes(op_kind kind) noexcept {
        return kind == op_kind::file_read || kind == op_kind::file_write ||
               kind == op_kind::file_call || kind == op_kind::work;
    }

  private:
    void give_up(io_operation& op) noexcept;

    driver& owner_;
    blocking_pool& pool_;
};

}  // namespace upcall
