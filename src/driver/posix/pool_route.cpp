#include "driver/pool_route.hpp"

#include <cerrno>

#include "driver/guard.hpp"
#include "driver/posix/file_calls.hpp"
#include "driver/posix/socket_calls.hpp"

namespace upcall {
namespace {

/// A `receive` that got nothing owns no buffer.
void drop_empty_lease(io_operation& op) noexcept {
    if (op.kind != op_kind::receive || op.result > 0) return;
    op.via->buffers().give_back(op.leased);
    op.leased = nullptr;
}

void run_in_pool(pool_job& job) noexcept {
    auto& op = static_cast<io_operation&>(job);
    unguard(op);
    op.result = run_blocking(op);
    drop_empty_lease(op);
    op.via->finish_elsewhere(op);
}

bool works_on(const pool_job& job, const void* target) noexcept {
    // Others share the pool, with jobs of their own kind.
    return job.pool_run == run_in_pool && static_cast<const io_operation&>(job).target == target;
}

}  // namespace

bool pool_route::submit(io_operation& op) noexcept {
    op.pool_run = run_in_pool;
    if (op.kind == op_kind::receive) {
        op.leased = owner_.buffers().take_large();
        if (!op.leased) {
            op.result = no_buffer;
            return true;
        }
    }
    guard(op);
    if (const std::int64_t refused = pool_.submit(op); refused < 0) {
        unguard(op);
        op.result = refused;
        drop_empty_lease(op);
        return true;
    }
    return false;
}

void pool_route::cancel(io_operation& op) noexcept {
    if (pool_.cancel(op)) give_up(op);
}

void pool_route::cancel_all(handle_record& target) noexcept {
    pool_job* job = pool_.cancel_matching(works_on, &target);
    while (job) {
        auto& op = static_cast<io_operation&>(*job);
        job = job->pool_next;
        give_up(op);
    }
}

void pool_route::give_up(io_operation& op) noexcept {
    unguard(op);
    op.result = -ECANCELED;
    drop_empty_lease(op);
    owner_.finish_elsewhere(op);
}

}  // namespace upcall
