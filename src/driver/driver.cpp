#include <upcall/driver/driver.hpp>

#include <cerrno>
#include <thread>

#include <upcall/base/fatal.hpp>

namespace upcall {

void handle::close() noexcept {
    if (handle_record* record = detach()) record->via->close(*record);
}

bool driver::start(io_operation& op) noexcept {
    op.via = this;
    op.cancel = [](operation& asked) noexcept {
        auto& io = static_cast<io_operation&>(asked);
        io.via->cancel(io);
    };
    if (!op.target) return submit(op);
    if (op.target->closing || op.target->broken) [[unlikely]] {
        op.result = raw_error(op.target->closing ? errc::closed : errc::interrupted);
        return true;
    }
    ++op.target->in_flight;
    if (!submit(op)) return false;
    drop_reference(*op.target);
    return true;
}

void driver::close(handle_record& target) noexcept {
    UPCALL_ASSERT(!target.closing);
    target.closing = true;
    if (target.in_flight == 0) return end(target);
    cancel_all(target);
}

void driver::end(handle_record& target) noexcept {
    auto* notify = target.on_closed;
    void* argument = target.on_closed_argument;
    const std::int64_t outcome = destroy(target);
    if (notify) notify(argument, outcome);
}

void driver::finish_elsewhere(io_operation& op) noexcept {
    helpers_.fetch_add(1, std::memory_order_relaxed);
    op.driver_next = elsewhere_.load(std::memory_order_relaxed);
    while (!elsewhere_.compare_exchange_weak(op.driver_next, &op, std::memory_order_release,
                                             std::memory_order_relaxed)) {
    }
    wake();
    helpers_.fetch_sub(1, std::memory_order_release);
}

void driver::await_helpers() const noexcept {
    while (helpers_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

void driver::collect_elsewhere() noexcept {
    if (!elsewhere_.load(std::memory_order_relaxed)) return;
    io_operation* newest = elsewhere_.exchange(nullptr, std::memory_order_acquire);
    io_operation* oldest = nullptr;
    while (newest) {
        io_operation* following = newest->driver_next;
        newest->driver_next = oldest;
        oldest = newest;
        newest = following;
    }
    while (oldest) {
        io_operation* following = oldest->driver_next;
        if (returned(*oldest)) finish(*oldest, oldest->result);
        oldest = following;
    }
}

std::error_code error_of(const io_operation& op) noexcept {
    if (op.result == -ECANCELED) {
        if (op.cause != cancel_cause::none) return errc_of(op.cause);
        return errc::closed;  // nobody asked for this one: its handle was closed
    }
    return error_from_raw(op.result);
}

}  // namespace upcall
