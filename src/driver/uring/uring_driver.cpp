#include "driver/uring/uring_driver.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <upcall/base/fatal.hpp>

#include "driver/guard.hpp"
#include "driver/posix/messages.hpp"
#include "driver/posix/socket_calls.hpp"
#include "driver/uring/restrictions.hpp"
#include "driver/uring/user_data.hpp"

namespace upcall {

using namespace uring_abi;

namespace {

constexpr std::uint32_t provided_max = 1024;
constexpr std::uint32_t provided_at_first = 64;

// A disk that stands idle until a turn has prepared all its transfers loses that time, and of more
// than two at once the kernel hands none over before it has seen the last.
constexpr std::uint32_t direct_batch = 2;

// Large receives that a turn makes: what they bring is sent on, or looked at, while the processor's
// caches still hold it. More at once would push one another out of them.
constexpr int due_batch = 4;

// A kernel worker for what io_uring cannot do without one; ours run in the pool.
constexpr std::uint32_t kernel_workers_max = 16;

// With many connections each has left the processor's caches when its turn comes again. An end
// looks at all of its operation; a value at what delivers it, and at what its owner keeps behind
// that.
void fetch_operation(const cqe& coming) noexcept {
    if ((coming.user_data & tag_mask) != tag_operation) return;
    io_operation& op = operation_of(coming.user_data);
    const void* begin = &op;
    if (coming.flags & cqe_flag::more) begin = &static_cast<io_source&>(op).deliver;
    constexpr std::size_t line = 64;
    const auto* at = static_cast<const std::byte*>(begin);
    __builtin_prefetch(at);
    __builtin_prefetch(at + line);
    __builtin_prefetch(at + 2 * line - 1);
}

/// What the kernel would have one of its own workers do, or, for a receive, block the loop with.
bool goes_to_pool(const io_operation& op) noexcept {
    switch (op.kind) {
        case op_kind::file_call:
        case op_kind::work:
            return true;
        case op_kind::read:
        case op_kind::write:
        case op_kind::receive:
            return static_cast<const posix_record*>(op.target)->blocks;
        default:
            return false;
    }
}

// Operations that wait for a peer: a cancellation that came at a bad moment may be asked again.
bool waits_for_peer(op_kind kind) noexcept {
    return kind != op_kind::file_read && kind != op_kind::file_write;
}

// The last offset that pread(2) takes.
constexpr std::uint64_t offset_max = INT64_MAX;

/// Whether an error blames a form of entry that older kernels do not know. A socket that does not
/// listen, or is not connected, gives the same error for every form.
bool is_about_multishot(const io_operation& op) noexcept {
    const int fd = static_cast<int>(op.target->native);
    if (op.kind == op_kind::accept) {
        int listens = 0;
        socklen_t size = sizeof listens;
        return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
    }
    sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

// Asking for nothing is done at once, and is not the end of a stream.
bool is_empty_transfer(const io_operation& op) noexcept {
    const bool stream = op.target && op.target->kind != handle_kind::datagram;
    return stream && op.size == 0 && (op.kind == op_kind::read || op.kind == op_kind::write);
}

std::uint32_t allowed_setup(const uring_options& options) noexcept {
    std::uint32_t flags = setup::all;
    if (!options.single_issuer) flags &= ~setup::single_issuer;
    if (!options.defer_taskrun) flags &= ~setup::defer_taskrun;
    if (!options.submit_all) flags &= ~setup::submit_all;
    if (!options.no_sqarray) flags &= ~setup::no_sqarray;
    return flags;
}

}  // namespace

std::unique_ptr<driver> make_uring_driver(const driver_environment& lent,
                                          const uring_options& options, std::error_code& error,
                                          std::string& why) {
    auto made = std::make_unique<uring_driver>(lent, options);
    const char* step = "";
    const int refused = made->open(step);
    if (refused == 0) return made;
    error = {-refused, std::generic_category()};
    why = std::string(step) + ": " + error.message();
    return nullptr;
}

uring_driver::uring_driver(const driver_environment& lent, const uring_options& options) noexcept
    : posix_driver(lent),
      options_(options),
      pool_(*this, lent.pool),
      forms_{.multishot_accept = options.multishot_accept,
             .multishot_receive = options.multishot_receive} {
    if (lent.embedded) options_.defer_taskrun = false;  // see embedding.cpp
}

uring_driver::~uring_driver() {
    await_helpers();
    while (closing_note* note = closing_.pop_front()) delete note;
    if (wake_fd_ >= 0) ::close(wake_fd_);
}

int uring_driver::open(const char*& step) noexcept {
    const ring_shape shape{.sq_entries = options_.submission_entries,
                           .cq_entries = options_.completion_entries,
                           .allowed = allowed_setup(options_),
                           .registered_ring = options_.registered_ring,
                           .no_iowait = options_.no_iowait};
    step = "io_uring_setup";
    if (const int error = ring_.open(shape); error < 0) return error;
    if (options_.hardened) {
        step = "io_uring_register (restrictions)";
        if (const int error = restrict_to_driver(ring_); error < 0) return error;
    }
    step = "io_uring_register (enable rings)";
    if (const int error = ring_.enable(); error < 0) return error;
    if (!(ring_.features() & feature::ext_arg)) {
        step = "io_uring features (kernel before 5.11)";
        return -ENOSYS;
    }
    wake_fd_ = ::eventfd(0, EFD_CLOEXEC);
    step = "eventfd";
    if (wake_fd_ < 0) return -errno;
    step = "io_uring_enter";
    queue_wake();
    if (const int taken = ring_.enter(0, nullptr); taken < 0) return taken;

    std::uint32_t workers[2] = {kernel_workers_max, kernel_workers_max};
    ring_.control(register_op::iowq_max_workers, workers, 2);
    if (options_.provided_buffers)
        provided_.open(ring_, buffers(), provided_max, provided_at_first);
    return 0;
}

std::int64_t uring_driver::attach(posix_record& made) noexcept {
    auto& added = static_cast<record&>(made);
    if (made.kind == handle_kind::file) {
        added.stalls = mounts_.hold(made.fd());
        added.direct = goes_past_page_cache(made.fd());
    }
    if (!options_.registered_files || made.kind == handle_kind::foreign) added.untabled = 0;
    return 0;
}

void uring_driver::detach(posix_record& left) noexcept {
    auto& removed = static_cast<record&>(left);
    if (removed.note) {
        removed.note->of = nullptr;
        if (!removed.note->asked) drop(*std::exchange(removed.note, nullptr));
    }
    if (removed.place == file_table::no_place) return;
    files_.remove(removed.place);
    removed.place = file_table::no_place;
}

std::int64_t uring_driver::register_memory(byte_span memory) noexcept {
    return options_.registered_buffers ? memory_.add(ring_, memory) : -EOPNOTSUPP;
}

void uring_driver::forget_memory(byte_span memory) noexcept {
    ring_.flush();  // entries that name it by its number
    memory_.remove(ring_, memory);
}

// ---- starting -------------------------------------------------------------------------------

bool uring_driver::submit(io_operation& op) noexcept {
    op.driver_state = 0;
    op.leased = nullptr;
    if (is_empty_transfer(op)) {
        op.result = 0;
        return true;
    }
    if (goes_to_pool(op)) return submit_to_pool(op);
    if (!waits_for_peer(op.kind) && op.offset > offset_max) {
        op.result = -EINVAL;  // io_uring takes -1 for "where the file stands"
        return true;
    }
    if (const std::int64_t error = prepare_entry(op); error < 0) {
        op.result = error;
        return true;
    }
    if (must_poll(op)) op.driver_state |= polling;
    guard(op);
    // There may be something to read already, and whoever sends much goes on sending.
    if (op.flags & op_bulk && op.driver_state & polling &&
        static_cast<record&>(*op.target).is_socket) {
        make_due(op);
    } else if (!queue_entry(op)) {
        op.driver_state |= parked;
        parked_.push(op);
    }
    return false;
}

bool uring_driver::submit_to_pool(io_operation& op) noexcept {
    op.driver_state = pooled;
    if (!pool_.submit(op)) return false;
    if (op.kind != op_kind::receive || op.result != no_buffer) return true;
    op.driver_state = starved;
    starved_.push(op);
    return false;
}

/// Whether the kernel only watches, and the call is made here: leasing without provided buffers,
/// and large receives, which io_uring would make all at once, before the first is looked at.
bool uring_driver::must_poll(const io_operation& op) const noexcept {
    return op.kind == op_kind::receive && (op.flags & op_bulk || !provided_.is_open());
}

void uring_driver::make_due(io_operation& op) noexcept {
    op.driver_state |= due;
    due_.push(op);
}

void uring_driver::try_due() noexcept {
    for (int left = due_batch; left > 0; --left) {
        io_operation* op = due_.pop();
        if (!op) return;
        op->driver_state &= static_cast<std::uint16_t>(~due);
        on_end(*op, 0);
    }
}

sqe* uring_driver::room() noexcept {
    if (sqe* entry = ring_.next_entry()) return entry;
    return ring_.flush() > 0 ? ring_.next_entry() : nullptr;
}

bool uring_driver::queue_entry(io_operation& op) noexcept {
    sqe* entry = room();
    if (!entry) return false;
    op.driver_state |= in_kernel;
    op.driver_state &= static_cast<std::uint16_t>(~asked_for_many);
    if (op.driver_state & polling)
        fill_poll_entry(*entry, op);
    else
        fill_entry(*entry, op, forms_);
    if (stays_armed(*entry)) op.driver_state |= asked_for_many;
    use_registrations(*entry, op);
    entry->user_data = user_data_of(op);
    if (static_cast<record*>(op.target)->direct && ring_.pending() >= direct_batch) ring_.flush();
    return true;
}

/// What the ring knows already of the file and the memory that a filled entry names.
void uring_driver::use_registrations(sqe& entry, const io_operation& op) noexcept {
    auto& file = static_cast<record&>(*op.target);
    if (file.untabled > 0) consider_tabling(file);
    if (file.place != file_table::no_place) {
        entry.fd = file.place;
        entry.flags |= sqe_flag::fixed_file;
    }
    if (waits_for_peer(op.kind)) return;
    if (file.stalls) entry.flags |= sqe_flag::async;
    if (memory_.empty() || op.flags & op_vectored || op.driver_state & polling) return;
    const int index = memory_.find(op.data, op.size);
    if (index == memory_table::no_index) return;
    entry.opcode =
        op.kind == op_kind::file_read ? uring_abi::op::read_fixed : uring_abi::op::write_fixed;
    entry.buf_index = static_cast<std::uint16_t>(index);
}

void uring_driver::consider_tabling(record& used) noexcept {
    if (--used.untabled > 0 || !options_.registered_files) return;
    if (!files_.is_open() && !files_.open(ring_)) {
        options_.registered_files = false;
        return;
    }
    used.place = files_.add(used.fd());
}

// ---- waking ---------------------------------------------------------------------------------

void uring_driver::queue_wake() noexcept {
    sqe* entry = room();
    if (!entry) return;  // poll tries again
    wake_armed_ = true;
    entry->opcode = uring_abi::op::read;
    entry->fd = wake_fd_;
    entry->addr = reinterpret_cast<std::uint64_t>(&wake_value_);
    entry->len = sizeof wake_value_;
    entry->off = ~std::uint64_t{0};
    entry->user_data = tag_wake;
}

void uring_driver::wake() noexcept {
    if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);
}

// ---- a turn ---------------------------------------------------------------------------------

void uring_driver::queue_waiting() noexcept {
    if (!wake_armed_) queue_wake();
    ask_again();
    while (io_operation* op = cancels_waiting_.front()) {
        if (ring_.full() && ring_.flush() <= 0) return;
        cancels_waiting_.pop();
        op->driver_state &= static_cast<std::uint16_t>(~cancel_waiting);
        queue_cancel(*op);
    }
    while (io_operation* op = parked_.front()) {
        if (!queue_entry(*op)) return;
        parked_.pop();
        op->driver_state &= static_cast<std::uint16_t>(~parked);
    }
}

void uring_driver::buffers_refilled() noexcept { starved_retry_ = true; }

void uring_driver::retry_starved() noexcept {
    operation_queue again;
    while (io_operation* op = starved_.pop()) again.push(*op);
    while (io_operation* op = again.pop()) {
        if (goes_to_pool(*op)) {
            if (submit_to_pool(*op)) finish(*op, op->result);
            continue;
        }
        op->driver_state &= static_cast<std::uint16_t>(~starved);
        op->driver_state |= parked;
        parked_.push(*op);
    }
}

/// As many as there are buffers for: one more would only be refused again.
void uring_driver::retry_dry() noexcept {
    for (std::size_t left = provided_.in_stock(); left > 0 && !dry_.empty(); --left) {
        io_operation* op = dry_.pop();
        op->driver_state &= static_cast<std::uint16_t>(~dry);
        op->driver_state |= parked;
        parked_.push(*op);
    }
}

void uring_driver::poll(time_point deadline) noexcept {
    if (std::exchange(starved_retry_, false)) retry_starved();
    if (provided_.is_open()) provided_.refill();
    if (!dry_.empty()) retry_dry();
    queue_waiting();
    // The pool refused one that was starved, or not all that ran dry are in the kernel again.
    if (!ready().empty() || can_retry_dry()) deadline = time_point::min();
    poll_enter(deadline);
    ring_.reap([this](const cqe& completion) { on_completion(completion); }, fetch_operation);
    if (!dry_.empty()) provided_.refill();
    try_due();
    collect_elsewhere();
}

void uring_driver::poll_enter(time_point deadline) noexcept {
    deadline = std::min(deadline, next_question());
    bool may_wait = deadline != time_point::min() && !has_unfinished() && !ring_.has_completions();
    kernel_timespec timeout{};
    if (may_wait && deadline != never) {
        const duration left = deadline - now();
        if (left <= duration::zero()) may_wait = false;
        timeout.tv_sec = left.count() / 1'000'000'000;
        timeout.tv_nsec = left.count() % 1'000'000'000;
    }
    if (!may_wait && !ring_.wants_enter()) return;
    const int answer =
        ring_.enter(may_wait ? 1 : 0, may_wait && deadline != never ? &timeout : nullptr);
    switch (answer) {
        case -EINTR:   // a signal; the loop looks again
        case -ETIME:   // the deadline
        case -EAGAIN:  // the kernel is short of memory: what is pending stays so
        case -EBUSY:   // completions have to be taken first, which is what happens next
            return;
        default:
            break;
    }
    if (answer < 0) fatal("io_uring_enter: error %d; the ring is lost", -answer);
}

// ---- completing -----------------------------------------------------------------------------

void uring_driver::on_completion(const cqe& completion) noexcept {
    switch (completion.user_data & tag_mask) {
        case tag_operation:
            on_operation(operation_of(completion.user_data), completion);
            break;
        case tag_cancel: {
            io_operation& op = operation_of(completion.user_data);
            op.driver_state &= static_cast<std::uint16_t>(~cancel_asked);
            if (op.driver_state & done)
                settle(op);
            else if (completion.res < 0 && waits_for_peer(op.kind) &&
                     (op.driver_state & in_kernel)) {
                // Between two states of the kernel's own: it may wait again, so ask again.
                op.driver_state |= cancel_waiting;
                cancels_waiting_.push(op);
            }
            break;
        }
        case tag_wake:
            wake_armed_ = false;
            // Reads what the waker wrote last, so whatever it left is seen after this.
            wake_pending_.exchange(false, std::memory_order_acq_rel);
            break;
        default:
            if (void* note = pointer_in(completion.user_data))
                asked_to_end_all(*static_cast<closing_note*>(note));
            break;
    }
}

void uring_driver::on_operation(io_operation& op, const cqe& completion) noexcept {
    if (completion.flags & cqe_flag::more) return on_value(op, completion);
    op.driver_state &= static_cast<std::uint16_t>(~in_kernel);
    std::byte* leased = nullptr;
    if (completion.flags & cqe_flag::buffer)
        leased = provided_.taken(completion.flags >> cqe_flag::buffer_shift);
    if (leased && completion.res <= 0) {
        buffers().give_back(leased);
        leased = nullptr;
    }
    op.leased = leased;
    // One whose cancellation has no answer yet is not to end while it is set aside.
    const bool being_cancelled = op.driver_state & (cancel_asked | cancel_waiting);
    if (op.flags & op_bulk && op.driver_state & polling && completion.res >= 0 && !being_cancelled)
        return make_due(op);
    on_end(op, completion.res);
}

void uring_driver::on_value(io_operation& op, const cqe& completion) noexcept {
    std::byte* leased = nullptr;
    if (completion.flags & cqe_flag::buffer)
        leased = provided_.taken(completion.flags >> cqe_flag::buffer_shift);
    auto& source = static_cast<io_source&>(op);
    source.deliver(source, completion.res, leased);
}

void uring_driver::on_end(io_operation& op, std::int64_t outcome) noexcept {
    unguard(op);
    if (outcome >= 0) outcome = conclude(op, outcome);
    if (outcome < 0) {
        outcome = retry(op, outcome);
        if (op.driver_state & (in_kernel | set_aside)) return;
    }
    release_entry(op);
    op.result = outcome;
    op.driver_state |= done;
    settle(op);
}

/// What the kernel's success means for the operation.
std::int64_t uring_driver::conclude(io_operation& op, std::int64_t outcome) noexcept {
    if (op.kind == op_kind::poll) return readiness_of(op, static_cast<std::uint32_t>(outcome));
    if (op.driver_state & polling) return try_call(op);
    if (op.kind == op_kind::connect) return finish_connect(op);
    if (op.kind == op_kind::receive_message) finish_receive(*static_cast<message*>(op.data));
    return outcome;
}

/// An error may not be the end: what can be done another way, or again, is queued again.
std::int64_t uring_driver::retry(io_operation& op, std::int64_t outcome) noexcept {
    const bool wanted = op.cause == cancel_cause::none && !(op.target && op.target->closing);
    switch (outcome) {
        case -EAGAIN:
            op.driver_state |= polling;
            break;  // a kernel that will not wait for us
        case -EINTR:
            if (!wanted) return -ECANCELED;
            break;
        case -ECANCELED:
            break;  // aimed at another operation on the same file
        case -EINVAL:
        case -EOPNOTSUPP:
            // By itself, also when another of its form was refused before it.
            if (!(op.driver_state & asked_for_many) || !is_about_multishot(op)) return outcome;
            (op.kind == op_kind::accept ? forms_.multishot_accept : forms_.multishot_receive) =
                false;
            break;
        case -ENOBUFS:
            if (op.kind != op_kind::receive) return outcome;
            if (!wanted) return -ECANCELED;
            if (op.driver_state & polling) {
                op.driver_state |= starved;
                starved_.push(op);
            } else {
                provided_.grow();
                op.driver_state |= dry;
                dry_.push(op);
            }
            return outcome;
        default:
            return outcome;
    }
    if (!wanted) return outcome == -EAGAIN ? -ECANCELED : outcome;
    guard(op);
    if (!queue_entry(op)) {
        op.driver_state |= parked;
        parked_.push(op);
    }
    return outcome;
}

/// Gives an operation back to its owner, unless a cancellation of it is still to be answered.
void uring_driver::settle(io_operation& op) noexcept {
    if (op.driver_state & cancel_waiting) cancels_waiting_.remove(op);
    if (op.driver_state & cancel_asked) return;
    op.driver_state = 0;
    finish(op, op.result);
}

}  // namespace upcall
