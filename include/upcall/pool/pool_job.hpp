// The part of a job that a pool of threads links and calls.
#pragma once

namespace upcall {

/// Something to run on a pool thread; lives in its owner's memory until `pool_run` is called, or
/// blocking_pool::cancel has answered true. `pool_run` may free it.
struct pool_job {
    /// The pool's own while it waits.
    pool_job* pool_next = nullptr;
    /// Called once, on a pool thread, with no lock held.
    void (*pool_run)(pool_job& self) noexcept = nullptr;
};

}  // namespace upcall
