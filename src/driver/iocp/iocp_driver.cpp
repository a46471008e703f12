#include "driver/iocp/iocp_driver.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "driver/guard.hpp"
#include "driver/iocp/errors.hpp"
#include "driver/iocp/factory.hpp"
#include "driver/iocp/file_calls.hpp"

namespace upcall {
namespace iocp {
namespace {

constexpr ULONG_PTR operation_key = 0;
constexpr ULONG_PTR wake_key = 1;
constexpr ULONG batch_max = 128;

bool is_for_pool(op_kind kind) noexcept {
    return kind == op_kind::file_call || kind == op_kind::work;
}

/// The queue of its direction; null for what has none.
block_queue* queue_of(const io_operation& op) noexcept {
    if (op.kind == op_kind::read || op.kind == op_kind::receive)
        return &static_cast<iocp_handle*>(op.target)->readers;
    if (op.kind == op_kind::write) return &static_cast<iocp_handle*>(op.target)->writers;
    return nullptr;
}

void run_in_pool(pool_job& job) noexcept {
    auto& op = static_cast<io_operation&>(job);
    op.result = 0;
    if (op.kind == op_kind::work) {
        const auto& asked = *static_cast<work_arguments*>(op.data);
        asked.run(asked.argument);
    } else {
        op.result = run_file_call(*static_cast<file_call_arguments*>(op.data), op.target);
    }
    op.via->finish_elsewhere(op);
}

bool works_on(const pool_job& job, const void* target) noexcept {
    // Others share the pool, with jobs of their own kind.
    return job.pool_run == run_in_pool && static_cast<const io_operation&>(job).target == target;
}

/// Milliseconds until then, rounded up so that nobody wakes early only to wait again.
DWORD wait_until(time_point deadline, time_point now) noexcept {
    if (deadline == never) return INFINITE;
    if (deadline <= now) return 0;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    return static_cast<DWORD>(std::min<std::int64_t>(left, INFINITE - 1));
}

/// Why the kernel says that an operation failed; 0 when it did not.
DWORD error_in(block& made) noexcept {
    if (static_cast<LONG>(made.Internal) >= 0) return 0;
    const iocp_handle& record = record_of(made);
    DWORD bytes = 0;
    DWORD flags = 0;
    if (record.is_socket) {
        if (::WSAGetOverlappedResult(record.socket(), &made, &bytes, FALSE, &flags)) return 0;
        return static_cast<DWORD>(::WSAGetLastError());
    }
    return ::GetOverlappedResult(record.file(), &made, &bytes, FALSE) ? 0 : ::GetLastError();
}

}  // namespace

iocp_driver::iocp_driver(const driver_environment& lent, HANDLE port, const winsock& functions)
    : driver(lent),
      port_(port),
      functions_(functions),
      pool_(lent.pool ? *lent.pool : blocking_pool::shared()),
      chance_(std::random_device{}()) {}

iocp_driver::~iocp_driver() {
    await_helpers();
    ::CloseHandle(port_);
}

// ---- starting -----------------------------------------------------------------------------------

bool iocp_driver::submit(io_operation& op) noexcept {
    op.driver_block = nullptr;
    if (is_for_pool(op.kind)) return submit_to_pool(op);
    block* made = nullptr;
    try {
        made = new block(op);
    } catch (const std::bad_alloc&) {
        op.result = -ENOMEM;
        return true;
    }
    op.driver_block = made;
    record_of(*made).blocks.push_back(*made);
    guard(op);
    if (block_queue* queue = queue_of(op)) {
        queue->push_back(*made);
        if (&queue->front() != made) return false;
    }
    const step came = begin(*made);
    if (came.state == step::under_way) return false;
    retire(*made);
    op.result = came.outcome;
    return true;
}

bool iocp_driver::submit_to_pool(io_operation& op) noexcept {
    op.pool_run = run_in_pool;
    // Once it is submitted, the operation belongs to a thread of the pool.
    const std::int64_t refused = pool_.submit(op);
    if (refused < 0) op.result = refused;
    return refused < 0;
}

iocp_driver::step iocp_driver::begin(block& made) noexcept {
    if (made.asked) return done(-ECANCELED);
    // It may have waited behind a write that was interrupted.
    if (record_of(made).broken) return done(raw_error(errc::interrupted));
    switch (made.op->kind) {
        case op_kind::connect:
            return begin_connect(made);
        case op_kind::accept:
            return begin_accept(made);
        case op_kind::read:
            return begin_stream_read(made);
        case op_kind::write:
            return begin_stream_write(made);
        case op_kind::receive:
            return begin_receive(made);
        case op_kind::file_read:
        case op_kind::file_write:
            return begin_file(made);
        default:
            return done(raw_error(errc::unsupported));
    }
}

// ---- completing ---------------------------------------------------------------------------------

void iocp_driver::packet(const OVERLAPPED_ENTRY& entry) noexcept {
    if (entry.lpCompletionKey == wake_key) {
        woken_.store(false, std::memory_order_seq_cst);
        return;
    }
    auto& made = *static_cast<block*>(entry.lpOverlapped);
    settle(made, go_on(made, error_in(made), entry.dwNumberOfBytesTransferred));
}

iocp_driver::step iocp_driver::go_on(block& made, DWORD error, DWORD bytes) noexcept {
    switch (made.op->kind) {
        case op_kind::connect:
            return go_on_connect(made, error);
        case op_kind::accept:
            return go_on_accept(made, error);
        case op_kind::read:
            return go_on_read(made, error, bytes);
        case op_kind::receive:
            return go_on_receive(made, error, bytes);
        case op_kind::write:
            return go_on_write(made, error, bytes);
        default:
            return go_on_file(made, error, bytes);
    }
}

// Completing may free the handle's record, unless others wait in it.
void iocp_driver::settle(block& made, step came) noexcept {
    if (came.state == step::under_way) return;
    io_operation& op = *made.op;
    block_queue* queue = queue_of(op);
    retire(made);
    const bool others = queue && !queue->empty();
    finish(op, came.outcome);
    if (others) advance(*queue);
}

void iocp_driver::advance(block_queue& queue) noexcept {
    for (bool others = true; others;) {
        block& next = queue.front();
        if (next.where != block::place::queue) return;
        const step came = begin(next);
        if (came.state == step::under_way) return;
        io_operation& op = *next.op;
        retire(next);
        others = !queue.empty();
        finish(op, came.outcome);
    }
}

void iocp_driver::retire(block& made) noexcept {
    unguard(*made.op);
    made.op->driver_block = nullptr;
    made.list_hook<on_handle>::unlink();
    if (made.list_hook<in_queue>::linked()) made.list_hook<in_queue>::unlink();
    if (made.list_hook<in_want>::linked()) made.list_hook<in_want>::unlink();
    delete &made;
}

// ---- cancelling ---------------------------------------------------------------------------------

void iocp_driver::cancel(io_operation& op) noexcept {
    if (is_for_pool(op.kind)) {
        if (pool_.cancel(op)) finish(op, -ECANCELED);
        return;
    }
    auto& made = *static_cast<block*>(op.driver_block);
    made.asked = true;
    if (made.where == block::place::kernel)
        ask_kernel(made);
    else
        settle(made, done(-ECANCELED));
}

// Success only means that the kernel was asked, ERROR_NOT_FOUND that the packet is coming anyway:
// either way the packet decides.
void iocp_driver::ask_kernel(block& made) noexcept { ::CancelIoEx(record_of(made).file(), &made); }

void iocp_driver::cancel_all(handle_record& target) noexcept {
    // Finishing the last of them frees the record: none is finished before all are looked at.
    pool_job* jobs = pool_.cancel_matching(works_on, &target);
    list<block, in_want> ending;
    static_cast<iocp_handle&>(target).blocks.for_each([&](block& made) {
        made.asked = true;
        if (made.where == block::place::kernel) return ask_kernel(made);
        if (made.list_hook<in_queue>::linked()) made.list_hook<in_queue>::unlink();
        if (made.list_hook<in_want>::linked()) made.list_hook<in_want>::unlink();
        ending.push_back(made);
    });
    while (block* made = ending.pop_front()) {
        io_operation& op = *made->op;
        retire(*made);
        finish(op, -ECANCELED);
    }
    while (jobs) {
        auto& op = static_cast<io_operation&>(*jobs);
        jobs = jobs->pool_next;
        finish(op, -ECANCELED);
    }
}

// ---- waiting ------------------------------------------------------------------------------------

bool iocp_driver::feed_wanting() noexcept {
    if (!std::exchange(refilled_, false) || wanting_.empty()) return false;
    list<block, in_want> all;
    all.splice_back(wanting_);
    while (block* made = all.pop_front())
        settle(*made, record_of(*made).is_socket ? receive_now(*made) : begin_receive(*made));
    return true;
}

void iocp_driver::poll(time_point deadline) noexcept {
    collect_elsewhere();
    const bool fed = feed_wanting();  // sources may have got values, which queues nothing
    OVERLAPPED_ENTRY entries[batch_max];
    ULONG count = 0;
    const DWORD timeout = fed || !ready().empty() ? 0 : wait_until(deadline, now());
    // FALSE means that nothing was taken: the time is up.
    if (!::GetQueuedCompletionStatusEx(port_, entries, batch_max, &count, timeout, FALSE))
        count = 0;
    for (ULONG at = 0; at < count; ++at) packet(entries[at]);
    collect_elsewhere();
}

void iocp_driver::wake() noexcept {
    if (!woken_.exchange(true, std::memory_order_seq_cst))
        ::PostQueuedCompletionStatus(port_, 0, wake_key, nullptr);
}

result<void> iocp_driver::bind_to_port(HANDLE native) noexcept {
    if (::CreateIoCompletionPort(native, port_, operation_key, 0) != port_) return last_error();
    return {};
}

}  // namespace iocp

std::unique_ptr<driver> make_iocp_driver(const driver_environment& lent,
                                         std::error_code& error) noexcept {
    const auto functions = winsock::get();
    if (!functions) {
        error = functions.error();
        return nullptr;
    }
    // One thread waits at a port, so the kernel may let one run.
    HANDLE port = ::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
    if (!port) {
        error = last_error().error();
        return nullptr;
    }
    error = {};
    try {
        return std::make_unique<iocp::iocp_driver>(lent, port, **functions);
    } catch (const std::exception&) {
        ::CloseHandle(port);
        error = std::make_error_code(std::errc::not_enough_memory);
        return nullptr;
    }
}

}  // namespace upcall
