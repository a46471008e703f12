#include "driver/blocking/blocking_driver.hpp"

#include <poll.h>

#include <cerrno>
#include <utility>

#include <upcall/base/fatal.hpp>

#include "driver/blocking/factory.hpp"
#include "driver/guard.hpp"
#include "driver/posix/socket_calls.hpp"
#include "driver/posix/wait_time.hpp"

namespace upcall {
namespace {

/// Of these the thread does the waiting alone: see the head of the header.
bool only_waits(const io_operation& op) noexcept {
    return op.kind == op_kind::receive || op.kind == op_kind::accept || op.kind == op_kind::connect;
}

/// A receive that would block the loop: the pool takes its buffer along.
bool receives_blocking(const io_operation& op) noexcept {
    return op.kind == op_kind::receive && static_cast<const blocking_record*>(op.target)->blocks;
}

short events_of(const io_operation& op) noexcept {
    if (op.kind != op_kind::poll) return waits_to_write(op) ? POLLOUT : POLLIN | POLLPRI;
    short events = 0;
    if (op.size & ready_to_read) events |= POLLIN | POLLPRI | POLLRDHUP;
    if (op.size & ready_to_write) events |= POLLOUT;
    return events;
}

bool waits_in_silence_now(const io_operation& op) noexcept {
    if (op.kind == op_kind::connect && static_cast<blocking_record*>(op.target)->connecting)
        return false;
    return waits_in_silence(op);
}

}  // namespace

blocking_driver::blocking_driver(const driver_environment& lent)
    : posix_driver(lent),
      pool_(*this, lent.pool),
      threads_({.threads_max = threads_max,
                .queued_max = SIZE_MAX,
                .stack_bytes = std::size_t{64} << 10}) {}

blocking_driver::~blocking_driver() { await_helpers(); }

// ---- starting and ending, on the loop -----------------------------------------------------------

blocking_record::direction* blocking_driver::direction_of(const io_operation& op) noexcept {
    if (op.kind == op_kind::poll) return nullptr;
    record& target = record_of(*op.target);
    return waits_to_write(op) ? &target.writing : &target.reading;
}

bool blocking_driver::submit(io_operation& op) noexcept {
    if (pool_route::takes(op.kind)) {
        op.driver_state = in_pool;
        return pool_.submit(op);
    }
    if (is_answered_at_once(op)) return true;
    if (op.kind == op_kind::connect) {
        op.result = go_on_connecting(op);
        if (op.result != -EAGAIN && op.result != -EINPROGRESS) return true;
    }
    record::direction* way = direction_of(op);
    if (way && way->running) {
        op.driver_state = waits_turn;
        guard(op);
        way->waiting.push(op);
        return false;
    }
    if (hand_over(op)) {
        // Nobody is left to wait for a connect that is under way.
        if (op.kind == op_kind::connect && record_of(*op.target).connecting)
            op.target->broken = true;
        return true;
    }
    if (way) way->running = &op;
    return false;
}

/// True: there is no thread for it, and op.result says why.
bool blocking_driver::hand_over(io_operation& op) noexcept {
    if (receives_blocking(op)) return hand_to_pool(op);
    op.driver_state = on_thread;
    op.pool_run = run_on_thread;
    guard(op);
    const std::int64_t refused = threads_.submit(op);
    if (refused == 0) return false;
    unguard(op);
    op.result = refused;
    return true;
}

bool blocking_driver::hand_to_pool(io_operation& op) noexcept {
    op.driver_state = in_pool;
    if (!pool_.submit(op)) return false;
    if (op.result != no_buffer) return true;
    op.driver_state = starved;
    starved_.push_back(record_of(*op.target));
    return false;
}

void blocking_driver::next(record::direction& of) noexcept {
    of.running = nullptr;
    while (io_operation* op = of.waiting.pop()) {
        if (!hand_over(*op)) {
            of.running = op;
            return;
        }
        finish(*op, op->result);
    }
}

void blocking_driver::cancel(io_operation& op) noexcept {
    if (op.driver_state == in_pool) return pool_.cancel(op);
    if (op.driver_state == waits_turn) {
        direction_of(op)->waiting.remove(op);
        unguard(op);
        return finish(op, -ECANCELED);
    }
    if (op.driver_state == starved) {
        record_of(*op.target).unlink();
        next(*direction_of(op));
        return finish(op, -ECANCELED);
    }
    if (threads_.cancel(op)) {
        op.result = -ECANCELED;
        return finish_elsewhere(op);
    }
    const std::lock_guard held(lock_);
    op.driver_state |= asked_to_end;
    if (op.driver_block) static_cast<thread_state*>(op.driver_block)->give_up.raise();
}

/// The thread that waits for it may not have had its turn on a processor since something arrived.
/// It makes no call of its own, so this one sees all there is; what the thread tells later is tried
/// again, and may be nothing any more.
void blocking_driver::look_again(io_source& source) noexcept {
    if (source.driver_state != on_thread || !only_waits(source)) return;
    const std::int64_t outcome = try_call(source);
    const bool found = source.kind == op_kind::accept ? outcome >= 0 : outcome > 0;
    // An end or an error is met again.
    if (found) source.deliver(source, outcome, std::exchange(source.leased, nullptr));
}

void blocking_driver::cancel_all(handle_record& closing) noexcept {
    record& target = record_of(closing);
    pool_.cancel_all(target);
    for (pool_job* job = threads_.cancel_matching(is_for, &target); job;) {
        auto& op = static_cast<io_operation&>(*job);
        job = job->pool_next;
        op.result = -ECANCELED;
        finish_elsewhere(op);
    }
    {
        const std::lock_guard held(lock_);
        target.ending = true;
        serving_.for_each([&](thread_state& at) {
            if (at.op->target == &target) at.give_up.raise();
        });
    }
    record::operations ended;
    for (record::direction* way : {&target.reading, &target.writing})
        while (io_operation* op = way->waiting.pop()) ended.push(*op);
    if (target.linked()) {
        target.unlink();
        ended.push(*target.reading.running);
    }
    // The last one may take the record along.
    while (io_operation* op = ended.pop()) {
        unguard(*op);
        finish(*op, -ECANCELED);
    }
}

// ---- coming back to the loop --------------------------------------------------------------------

bool blocking_driver::returned(io_operation& op) noexcept {
    if (op.driver_state == in_pool) {
        if (op.kind == op_kind::receive) next(*direction_of(op));
        return true;
    }
    if (!(op.driver_state & (on_thread | starved))) return true;
    go_on_on_loop(op);
    record& target = record_of(*op.target);
    const bool ends = (op.driver_state & asked_to_end) || target.closing;
    if (op.result == -EAGAIN || op.result == -EINPROGRESS) {
        if (ends)
            op.result = -ECANCELED;
        else if (!hand_over(op))
            return false;
    } else if (op.kind == op_kind::receive && op.result == no_buffer) {
        if (!ends) {
            op.driver_state = starved;
            starved_.push_back(target);
            return false;
        }
        op.result = -ECANCELED;
    }
    settle_cancelled(op);
    unguard(op);
    if (record::direction* way = direction_of(op)) next(*way);
    return true;
}

/// The part of an operation that is the loop's, once the thread has waited enough.
void blocking_driver::go_on_on_loop(io_operation& op) noexcept {
    if (!only_waits(op) || op.result != 0) return;
    if (receives_blocking(op))
        op.result = -EAGAIN;  // was starved, and there are buffers again
    else
        op.result = op.kind == op_kind::connect ? go_on_connecting(op) : try_call(op);
}

std::int64_t blocking_driver::go_on_connecting(io_operation& op) noexcept {
    record& target = record_of(*op.target);
    if (!target.connecting || target.writing.running != &op) {
        const std::int64_t outcome = try_call(op);
        if (outcome == -EINPROGRESS) target.connecting = true;
        return outcome;
    }
    const std::int64_t outcome = finish_connect(op);
    target.connecting = outcome == -EINPROGRESS;
    return outcome;
}

/// A connect that was cancelled may have come to its end all the same. If not, the kernel goes on,
/// and nothing but closing the socket stops it.
void blocking_driver::settle_cancelled(io_operation& op) noexcept {
    record& target = record_of(*op.target);
    if (op.kind != op_kind::connect || op.result != -ECANCELED || !target.connecting) return;
    op.result = go_on_connecting(op);
    if (op.result != -EINPROGRESS) return;
    op.result = -ECANCELED;
    target.connecting = false;
    target.broken = true;
}

void blocking_driver::resume_starved() noexcept {
    refilled_ = false;
    list<record, starved_for_buffer> pending;
    pending.splice_back(starved_);
    while (record* target = pending.pop_front()) {
        io_operation& op = *target->reading.running;
        op.result = 0;
        if (returned(op)) finish(op, op.result);
    }
}

void blocking_driver::poll(time_point deadline) noexcept {
    if (refilled_) resume_starved();
    if (!ready().empty()) deadline = time_point{};
    const wait_time time(deadline);
    pollfd signal{.fd = wake_.fd(), .events = POLLIN, .revents = 0};
    const int count = ::ppoll(&signal, 1, time.get(), nullptr);
    if (count < 0 && errno != EINTR && errno != ENOMEM) fatal("ppoll: errno %d", errno);
    if (count > 0) wake_.lower();
    collect_elsewhere();
}

// ---- on the pool's threads ----------------------------------------------------------------------

bool blocking_driver::is_for(const pool_job& job, const void* target) noexcept {
    return static_cast<const io_operation&>(job).target == target;
}

void blocking_driver::run_on_thread(pool_job& job) noexcept {
    static thread_local thread_state own;
    auto& op = static_cast<io_operation&>(job);
    auto& home = static_cast<blocking_driver&>(*op.via);
    op.result = home.serve(op, own);
    home.finish_elsewhere(op);
}

std::int64_t blocking_driver::serve(io_operation& op, thread_state& own) noexcept {
    if (!own.opened) {
        if (const std::int64_t refused = own.give_up.open(); refused < 0) return refused;
        own.opened = true;
    }
    {
        const std::lock_guard held(lock_);
        if ((op.driver_state & asked_to_end) || record_of(*op.target).ending) return -ECANCELED;
        own.give_up.lower();
        own.op = &op;
        op.driver_block = &own;
        serving_.push_back(own);
    }
    const std::int64_t outcome = wait_and_call(op, own);
    const std::lock_guard held(lock_);
    own.unlink();
    op.driver_block = nullptr;
    return outcome;
}

std::int64_t blocking_driver::wait_and_call(io_operation& op, thread_state& own) noexcept {
    if (only_waits(op)) return wait_for(op, own) ? 0 : -ECANCELED;
    for (;;) {
        unguard(op);
        const std::int64_t outcome = try_call(op);
        if (outcome != -EAGAIN) return outcome;
        guard(op);
        if (!wait_for(op, own)) return -ECANCELED;
    }
}

/// False: it was told to give up.
bool blocking_driver::wait_for(const io_operation& op, thread_state& own) noexcept {
    const bool silent = waits_in_silence_now(op);
    const int fd = silent ? -1 : static_cast<int>(op.target->native);
    pollfd waits[] = {{.fd = own.give_up.fd(), .events = POLLIN, .revents = 0},
                      {.fd = fd, .events = events_of(op), .revents = 0}};
    const int time = silent ? static_cast<int>(silent_retry_pause.count()) : -1;
    while (::poll(waits, 2, time) < 0) {
        // The kernel is short of memory for a moment, or a debugger has stopped us.
        if (errno != EINTR && errno != ENOMEM && errno != EAGAIN) fatal("poll: errno %d", errno);
    }
    return waits[0].revents == 0;
}

// ---- making one ---------------------------------------------------------------------------------

std::unique_ptr<driver> make_blocking_driver(const driver_environment& lent, std::error_code& error,
                                             std::string& why) {
    auto made = std::make_unique<blocking_driver>(lent);
    const std::int64_t refused = made->open();
    if (refused == 0) return made;
    error = error_from_raw(refused);
    why = "its descriptors could not be opened: " + error.message();
    return nullptr;
}

}  // namespace upcall
