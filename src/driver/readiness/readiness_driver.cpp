#include "driver/readiness/readiness_driver.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "driver/guard.hpp"
#include "driver/posix/socket_calls.hpp"

namespace upcall {
namespace {

constexpr int operations_per_event = 16;
/// No record's: a table would need as many places.
constexpr std::uint64_t engine_key = ~std::uint64_t{1};

std::uint32_t direction_of(const io_operation& op) noexcept {
    return waits_to_write(op) ? ready_to_write : ready_to_read;
}

bool is_tcp(int fd) noexcept {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           protocol == IPPROTO_TCP;
}

bool only_takes_writes(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) == O_WRONLY;
}

}  // namespace

readiness_driver::readiness_driver(const driver_environment& lent,
                                   std::unique_ptr<poller> watcher) noexcept
    : posix_driver(lent),
      poller_(std::move(watcher)),
      edge_triggered_(poller_->edge_triggered()),
      pool_(*this, lent.pool) {}

readiness_driver::~readiness_driver() {
    await_helpers();
    if (engine_watch_.fd >= 0) poller_->remove(engine_watch_);
    // Its notices may still come, and wake the poller.
    engine_.reset();
}

std::int64_t readiness_driver::use(std::unique_ptr<file_engine> engine) noexcept {
    if (const std::int64_t refused = engine->open(); refused < 0) return refused;
    if (engine->fd() >= 0) {
        engine_watch_.fd = engine->fd();
        engine_watch_.key = engine_key;
        engine_watch_.borrowed = true;
        const std::int64_t refused = poller_->add(engine_watch_);
        if (refused < 0) {
            engine_watch_.fd = -1;
            return refused;
        }
        poller_->arm(engine_watch_, ready_to_read);
    }
    engine_ = std::move(engine);
    transfers_.engine = engine_->name();
    return 0;
}

// ---- handles ------------------------------------------------------------------------------------

std::int64_t readiness_driver::attach(posix_record& added) noexcept {
    auto& own = static_cast<record&>(added);
    // Pollers other than epoll say of a file that blocks that it is ready.
    if (own.kind == handle_kind::file || own.blocks) return 0;
    // A fresh socket has room to send; whether something has come in, the first event tells.
    own.hints = ready_to_write;
    // No event tells that one cannot be read at all, as the call does.
    if (own.kind == handle_kind::stream && !own.is_socket && only_takes_writes(own.fd()))
        own.hints |= ready_to_read;
    own.watched.fd = own.fd();
    own.watched.borrowed = own.kind == handle_kind::foreign;
    own.watched.is_socket = own.is_socket;
    try {
        own.watched.key = table_.insert(own);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    const std::int64_t refused = watch_record(own);
    own.pollable = refused == 0;
    if (own.pollable) return 0;
    table_.erase(own.watched.key);
    return refused == -EPERM ? 0 : refused;
}

std::int64_t readiness_driver::watch_record(record& added) noexcept {
    const std::int64_t refused = poller_->add(added.watched);
    if (refused != -EEXIST) return refused;
    // Watched by another handle already: the copy counts as another descriptor.
    const int copy = ::fcntl(added.fd(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return -errno;
    added.watched.fd = copy;
    const std::int64_t refused_copy = poller_->add(added.watched);
    added.has_copy = refused_copy == 0;
    if (added.has_copy) return 0;
    added.watched.fd = added.fd();
    ::close(copy);
    return refused_copy;
}

void readiness_driver::detach(posix_record& leaving) noexcept {
    auto& own = static_cast<record&>(leaving);
    if (own.draining()) own.drain_hook::unlink();
    if (own.starved()) own.starved_hook::unlink();
    if (own.retrying()) own.retry_hook::unlink();
    if (engine_) engine_->forget(leaving);
    if (!own.pollable) return;
    poller_->remove(own.watched);
    table_.erase(own.watched.key);
    if (own.has_copy) ::close(own.watched.fd);
}

void readiness_driver::free_record(posix_record& left) noexcept {
    delete &static_cast<record&>(left);
}

// ---- starting -----------------------------------------------------------------------------------

bool readiness_driver::submit(io_operation& op) noexcept {
    if (op.kind == op_kind::file_read || op.kind == op_kind::file_write) return submit_transfer(op);
    if (pool_route::takes(op.kind)) return submit_to_pool(op);
    record& target = record_of(*op.target);
    if (is_answered_at_once(op)) return true;
    if (op.kind == op_kind::poll) return submit_poll(op, target);
    if (!target.pollable) return submit_in_order(op, target);
    const std::uint32_t direction = direction_of(op);
    const place where = direction == ready_to_write ? in_writing : in_reading;
    // A second connect is for the kernel to refuse, whatever waits.
    const bool likely = (target.hints & direction) && queue_of(target, where).empty();
    if ((likely || op.kind == op_kind::connect) && attempt(op, target)) return true;
    return wait_in(where, op, target);
}

bool readiness_driver::submit_to_pool(io_operation& op) noexcept {
    op.driver_state = in_pool;
    return pool_.submit(op);
}

bool readiness_driver::submit_transfer(io_operation& op) noexcept {
    if (engine_) {
        // Before, as the engine may be done with it at once.
        op.driver_state = in_engine;
        switch (engine_->submit(op)) {
            case file_engine::answer::taken:
                guard(op);
                ++transfers_.by_engine;
                return false;
            case file_engine::answer::finished:
                return true;
            case file_engine::answer::not_mine:
                break;
        }
    }
    ++transfers_.by_pool;
    return submit_to_pool(op);
}

void readiness_driver::collect_transfers() noexcept {
    file_engine::operations ended;
    engine_->collect(ended, std::exchange(engine_told_, false));
    while (io_operation* op = ended.pop()) {
        unguard(*op);
        if (op->result == file_engine::would_block) {
            ++transfers_.sent_back;
            if (!submit_to_pool(*op)) continue;
        }
        complete(*op);
    }
}

/// Calls at the descriptor's own position: the next one only after the last has come back.
bool readiness_driver::submit_in_order(io_operation& op, record& target) noexcept {
    const std::uint32_t direction = direction_of(op);
    const place where = direction == ready_to_write ? in_writing : in_reading;
    if ((target.in_pool & direction) || !queue_of(target, where).empty())
        return wait_in(where, op, target);
    if (!submit_to_pool(op)) {
        target.in_pool |= direction;
        return false;
    }
    if (op.kind != op_kind::receive || op.result != no_buffer) return true;
    if (!target.starved()) starved_.push_back(target);
    return wait_in(where, op, target);
}

void readiness_driver::next_to_pool(record& target, place where) noexcept {
    operations& waiting = queue_of(target, where);
    while (io_operation* op = waiting.pop()) {
        unguard(*op);
        if (!submit_to_pool(*op)) {
            target.in_pool |= direction_of(*op);
            return;
        }
        if (op->kind == op_kind::receive && op->result == no_buffer) {
            op->driver_state = where;
            waiting.push_front(*op);
            if (!target.starved()) starved_.push_back(target);
            return;
        }
        complete(*op);
    }
}

bool readiness_driver::returned(io_operation& op) noexcept {
    if (op.driver_state != in_pool || pool_route::takes(op.kind)) return true;
    record& target = record_of(*op.target);
    const std::uint32_t direction = direction_of(op);
    target.in_pool &= ~direction;
    next_to_pool(target, direction == ready_to_write ? in_writing : in_reading);
    return true;
}

bool readiness_driver::submit_poll(io_operation& op, record& target) noexcept {
    op.result = try_call(op);
    if (op.result != -EAGAIN) return true;
    if (!target.pollable) {
        op.result = static_cast<std::int64_t>(op.size);
        return true;
    }
    if (target.kind == handle_kind::foreign) {
        op.result = renew_watch(target, static_cast<std::uint32_t>(op.size));
        if (op.result < 0) return true;
    }
    return wait_in(in_polling, op, target);
}

/// The owner of a foreign descriptor may have closed it and opened another under the same number
/// since, of which the copy, if there is one, is none yet.
std::int64_t readiness_driver::renew_watch(record& target, std::uint32_t interest) noexcept {
    if (target.has_copy && ::dup3(target.fd(), target.watched.fd, O_CLOEXEC) < 0) return -errno;
    if (!edge_triggered_) return 0;
    const std::int64_t refused = poller_->arm(target.watched, interest);
    return refused == -EEXIST ? watch_record(target) : refused;
}

bool readiness_driver::wait_in(place where, io_operation& op, record& target) noexcept {
    op.driver_state = where;
    guard(op);
    queue_of(target, where).push(op);
    arm(target);
    return false;
}

readiness_driver::operations& readiness_driver::queue_of(record& of, std::uint16_t where) noexcept {
    if (where == in_reading) return of.reading;
    return where == in_writing ? of.writing : of.polling;
}

/// Tells a level-triggered poller what is waited for now.
void readiness_driver::arm(record& target) noexcept {
    if (edge_triggered_ || !target.pollable) return;
    std::uint32_t interest = 0;
    if (!target.reading.empty() && !target.starved()) interest |= ready_to_read;
    if (!target.writing.empty() && !target.retrying()) interest |= ready_to_write;
    for (const io_operation* op = target.polling.front(); op; op = op->driver_next)
        interest |= static_cast<std::uint32_t>(op->size);
    poller_->arm(target.watched, interest);
}

// ---- trying -------------------------------------------------------------------------------------

/// Makes the call of `op`. False: it has to wait, and the record knows for what.
bool readiness_driver::attempt(io_operation& op, record& target) noexcept {
    if (waits_to_write(op)) {
        if (target.retrying()) target.retry_hook::unlink();
    } else if (target.starved()) {
        target.starved_hook::unlink();
    }
    op.result = op.kind == op_kind::connect ? attempt_connect(op, target) : try_call(op);
    if (target.taken_error) [[unlikely]]
        tell_taken_error(op, target);
    switch (op.result) {
        case -EAGAIN:
            note_would_block(op, target);
            return false;
        case -EINPROGRESS:
            target.hints &= ~std::uint32_t{ready_to_write};
            return false;
        case no_buffer:
            if (op.kind != op_kind::receive) return true;
            starved_.push_back(target);
            return false;
        default:
            if (op.kind == op_kind::accept) refuse_unwatchable(op);
            note_short_read(op, target);
            return true;
    }
}

std::int64_t readiness_driver::attempt_connect(io_operation& op, record& target) noexcept {
    if (target.connecting && target.writing.front() == &op) {
        const std::int64_t outcome = finish_connect(op);
        target.connecting = outcome == -EINPROGRESS;
        return outcome;
    }
    const std::int64_t outcome = try_call(op);
    if (outcome == -EINPROGRESS) {
        // What was known of the socket is stale: a fresh one has counted as hung up.
        target.connecting = true;
        target.irregular = false;
        target.hints = 0;
    }
    return outcome;
}

/// The kernel tells an error of a socket once, and the poller was told: the first call that would
/// have failed with it fails with it.
void readiness_driver::tell_taken_error(io_operation& op, record& target) noexcept {
    bool would_fail = op.result == -EAGAIN || op.result == -EPIPE;
    if (op.kind == op_kind::connect) would_fail = op.result < 0 && op.result != -EINPROGRESS;
    if (op.kind == op_kind::read || op.kind == op_kind::receive) would_fail |= op.result == 0;
    if (would_fail) op.result = -std::exchange(target.taken_error, 0);
}

void readiness_driver::note_would_block(const io_operation& op, record& target) noexcept {
    target.hints &= ~direction_of(op);
    if (waits_in_silence(op)) retries_.push_back(target);
}

void readiness_driver::refuse_unwatchable(io_operation& accepted) noexcept {
    const int fd = static_cast<int>(accepted.result);
    if (fd < 0 || poller_->can_watch(fd)) return;
    ::close(fd);
    accepted.result = -EMFILE;
}

/// A TCP socket that gave less than it was asked for has no more (epoll(7)), which spares the call
/// that would say so. Not so when its end, an error or an urgent byte may be what cut it short; nor
/// on Unix sockets, where descriptors that come along do.
void readiness_driver::note_short_read(const io_operation& op, record& target) noexcept {
    if (op.result <= 0 || target.irregular || target.kind != handle_kind::stream) return;
    std::size_t asked = 0;
    if (op.kind == op_kind::receive)
        asked = buffers().is_large(op.leased) ? buffers().large_bytes() : buffers().small_bytes();
    else if (op.kind == op_kind::read && !(op.flags & op_vectored))
        asked = op.size;
    if (static_cast<std::size_t>(op.result) >= asked) return;
    if (target.speaks == record::protocol::unknown)
        target.speaks = is_tcp(target.fd()) ? record::protocol::tcp : record::protocol::other;
    if (target.speaks == record::protocol::tcp) target.hints &= ~std::uint32_t{ready_to_read};
}

// ---- ending -------------------------------------------------------------------------------------

void readiness_driver::cancel(io_operation& op) noexcept {
    if (op.driver_state == in_pool) return pool_.cancel(op);
    if (op.driver_state == in_engine) {
        if (!engine_->withdraw(op)) return;
        unguard(op);
        op.result = -ECANCELED;
        return complete(op);
    }
    withdraw(op);
    complete(op);
}

/// Takes a waiting operation out of its queue and sets its result.
void readiness_driver::withdraw(io_operation& op) noexcept {
    record& target = record_of(*op.target);
    op.result = -ECANCELED;
    if (target.connecting && target.writing.front() == &op) {
        op.result = attempt_connect(op, target);
        if (target.taken_error) tell_taken_error(op, target);
        if (op.result == -EINPROGRESS) {
            // The kernel goes on, and nothing but closing the socket stops it.
            op.result = -ECANCELED;
            target.connecting = false;
            target.broken = true;
        }
    }
    queue_of(target, op.driver_state).remove(op);
    unguard(op);
    run_again(target);
}

/// What the first in a queue was waiting for may not concern the one behind it.
void readiness_driver::run_again(record& target) noexcept {
    if (target.starved()) {
        target.starved_hook::unlink();
        target.hints |= ready_to_read;
    }
    if (target.retrying()) {
        target.retry_hook::unlink();
        target.hints |= ready_to_write;
    }
    const bool waits = !target.reading.empty() || !target.writing.empty();
    if (waits && !target.draining()) drain_.push_back(target);
    arm(target);
}

void readiness_driver::cancel_all(handle_record& closing) noexcept {
    record& target = record_of(closing);
    operations ended;
    std::uint32_t count = 0;
    for (operations* waiting : {&target.reading, &target.writing, &target.polling}) {
        while (io_operation* op = waiting->front()) {
            withdraw(*op);
            ended.push(*op);
            ++count;
        }
    }
    if (count < target.in_flight) pool_.cancel_all(target);
    if (engine_ && count < target.in_flight) {
        file_engine::operations withdrawn;
        engine_->withdraw_all(target, withdrawn);
        while (io_operation* op = withdrawn.pop()) {
            unguard(*op);
            op->result = -ECANCELED;
            ended.push(*op);
        }
    }
    // The last one may take the record along.
    while (io_operation* op = ended.pop()) complete(*op);
}

// ---- waiting ------------------------------------------------------------------------------------

void readiness_driver::poll(time_point deadline) noexcept {
    retry_at_ = never;
    if (refilled_) run_starved();
    if (!retries_.empty()) run_retries();
    if (!drain_.empty()) run_drain();
    if (!ready().empty() || !drain_.empty())
        deadline = time_point{};
    else if (!retries_.empty())
        deadline = std::min(deadline, saturating_add(now(), silent_retry_pause));
    if (engine_) {
        engine_->hand_over();
        deadline = engine_->wait(deadline);
    }
    for (const poll_event& event : poller_->wait(deadline)) handle_event(event);
    if (engine_) collect_transfers();
    collect_elsewhere();
}

result<native_handle> readiness_driver::pollable() noexcept {
    const int fd = poller_->descriptor();
    if (fd < 0) return failure(errc::unsupported);
    return fd;
}

time_point readiness_driver::poll_again_by() noexcept {
    if (refilled_ || !drain_.empty() || poller_->has_changes()) return time_point::min();
    const time_point transfers = engine_ ? engine_->collect_by() : never;
    if (retries_.empty()) return transfers;
    if (retry_at_ == never) retry_at_ = saturating_add(now(), silent_retry_pause);
    return std::min(retry_at_, transfers);
}

void readiness_driver::handle_event(const poll_event& event) noexcept {
    if (event.key == engine_key) engine_told_ = true;
    record* target = table_.find(event.key);
    if (!target) return;
    target->hints |= event.ready & (ready_to_read | ready_to_write);
    if (event.ready & ready_irregular) target->irregular = true;
    if (event.taken_error && target->is_socket) target->taken_error = event.taken_error;
    run(*target);
}

/// Runs the queues of a record on which something has changed. One that is being closed has
/// nothing in them, so it cannot end in the middle of this.
void readiness_driver::run(record& target) noexcept {
    if (!target.pollable) {
        if (!(target.in_pool & ready_to_read)) next_to_pool(target, in_reading);
        if (!(target.in_pool & ready_to_write)) next_to_pool(target, in_writing);
        return;
    }
    const bool reads_left = run_direction(target, target.reading, ready_to_read);
    const bool writes_left = run_direction(target, target.writing, ready_to_write);
    run_polls(target);
    if ((reads_left || writes_left) && !target.draining()) drain_.push_back(target);
    arm(target);
}

/// True: there is more to do, but it was enough for one turn.
bool readiness_driver::run_direction(record& target, operations& waiting,
                                     std::uint32_t hint) noexcept {
    for (int done = 0; io_operation* op = waiting.front(); ++done) {
        if (!(target.hints & hint)) return false;
        if (done == operations_per_event) return true;
        unguard(*op);
        if (!attempt(*op, target)) {
            guard(*op);
            return false;
        }
        waiting.pop();
        complete(*op);
    }
    return false;
}

void readiness_driver::run_polls(record& target) noexcept {
    for (io_operation* op = target.polling.front(); op;) {
        io_operation* following = op->driver_next;
        op->result = try_call(*op);
        if (op->result != -EAGAIN) {
            target.polling.remove(*op);
            complete(*op);
        }
        op = following;
    }
}

void readiness_driver::run_drain() noexcept {
    list<record, in_drain> pending;
    pending.splice_back(drain_);
    while (record* target = pending.pop_front()) run(*target);
}

void readiness_driver::run_starved() noexcept {
    refilled_ = false;
    list<record, in_starved> pending;
    pending.splice_back(starved_);
    while (record* target = pending.pop_front()) {
        target->hints |= ready_to_read;
        run(*target);
    }
}

void readiness_driver::run_retries() noexcept {
    list<record, in_retry> pending;
    pending.splice_back(retries_);
    while (record* target = pending.pop_front()) {
        target->hints |= ready_to_write;
        run(*target);
    }
}

}  // namespace upcall
