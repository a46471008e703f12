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

}  // namespace

bool pool_route::submit(io_operation& op) noexcept {
    op.pool_run = [](pool_job& job) noexcept {
        auto& io = static_cast<io_operation&>(job);
        unguard(io);
        io.result = run_blocking(io);
        drop_empty_lease(io);
        io.via->finish_elsewhere(io);
    };
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
    if (!pool_.cancel(op)) return;
    unguard(op);
    op.result = -ECANCELED;
    drop_empty_lease(op);
    owner_.finish_elsewhere(op);
}

}  // namespace upcall
