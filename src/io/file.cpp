#include <upcall/io/file.hpp>

#include <algorithm>
#include <cerrno>

#include <upcall/os/descriptor.hpp>

namespace upcall {

namespace detail {
namespace {

constexpr std::uint64_t copy_step = std::uint64_t{8} << 20;

/// Starts `op` in `where`. True: the outcome is in op.result and the operation is idle.
bool start_in(io_operation& op, context& where) noexcept {
    op.begin(where);
    if (!where.home().via().start(op)) return false;
    op.retire();
    return true;
}

/// Notes in op.result why it may not start; true when it may.
bool may_start(io_operation& op, const context& where) noexcept {
    const cancel_cause refused = where.refuses(op.ends_on_stop);
    if (refused != cancel_cause::none) {
        op.result = raw_error(errc_of(refused));
    } else if (op.target && op.target->via != &where.home().via()) {
        op.result = raw_error(errc::wrong_loop);
    } else {
        return true;
    }
    return false;
}

}  // namespace

// ---- transfers ------------------------------------------------------------------------------

file_transfer::file_transfer(arguments&& given) noexcept : whole_(given.whole) {
    kind = given.kind;
    target = given.target;
    data = given.data;
    size = given.size;
    offset = given.offset;
    if (given.vectored) flags |= op_vectored;
}

bool file_transfer::launch(context& where) noexcept {
    result = raw_error(errc::closed);
    if (!target || !may_start(*this, where)) return true;
    queue_ = target->transfers;  // of now: the limit may have changed since the request was made
    // Between two steps, and in a queue, nothing else would keep the record of a file that was
    // closed meanwhile.
    if (holds()) driver::hold(*target);
    if (queue_) {
        begin(where);
        if (!queue_->take(*this)) return false;
        retire();
        return over();
    }
    for (;;) {
        if (!start_in(*this, where)) return false;
        if (!again()) return over();
    }
}

bool file_transfer::over() noexcept {
    if (holds()) target->via->let_go(*target);
    return true;
}

/// The loop runs the completion: goes on with what is left, or says that it is finished. What came
/// through a queue is: the steps were gone through there.
bool file_transfer::settle() noexcept {
    while (!queue_ && again()) {
        state = op_state::in_flight;
        if (!via->start(*this)) return false;
        state = op_state::ready;
    }
    return over();
}

bool file_transfer::again() noexcept {
    if (result < 0) return false;
    const auto count = static_cast<std::size_t>(result);
    done_ += count;
    if (!whole_ || count == 0 || count == size) return false;
    data = static_cast<std::byte*>(data) + count;
    size -= count;
    offset += count;
    if (cause == cancel_cause::none) return true;
    result = raw_error(errc_of(cause));
    return false;
}

std::error_code file_transfer::error() const noexcept {
    if (result < 0) return error_of(*this);
    if (!whole_ || size == static_cast<std::size_t>(result)) return {};
    return kind == op_kind::file_read ? make_error_code(errc::end_of_stream)
                                      : std::make_error_code(std::errc::no_space_on_device);
}

// ---- calls ----------------------------------------------------------------------------------

file_call_operation::file_call_operation(arguments&& given) noexcept : given_(std::move(given)) {
    kind = op_kind::file_call;
}

bool file_call_operation::launch(context& where) noexcept {
    target = given_.target;
    if (!may_start(*this, where)) return true;
    if (!given_.on_path && !target) {
        result = raw_error(errc::closed);
        return true;
    }
    if (given_.path.find('\0') != std::string::npos ||
        given_.other_path.find('\0') != std::string::npos) {
        result = -EINVAL;  // the kernel would see another, shorter name
        return true;
    }
    asked_.what = given_.what;
    asked_.path = given_.on_path ? given_.path.c_str() : nullptr;
    asked_.other_path = given_.other_path.c_str();
    asked_.directory = given_.on_path ? given_.target : nullptr;
    asked_.other = given_.other;
    asked_.options = given_.options;
    asked_.mode = given_.mode;
    asked_.offset = given_.offset;
    asked_.other_offset = given_.other_offset;
    asked_.size = given_.size;
    data = &asked_;
    return start_in(*this, where);
}

open_file_operation::~open_file_operation() {
    // The driver closes it: a simulated one's numbers name other things to the system.
    if (opened_ != no_native_handle && !home_->via().adopt(opened_, handle_kind::file))
        descriptor(opened_).close();
}

bool open_file_operation::launch(context& where) noexcept {
    home_ = &where.home();
    if (!file_call_operation::launch(where)) return false;
    return settle();
}

bool open_file_operation::settle() noexcept {
    if (result >= 0) opened_ = static_cast<native_handle>(result);
    return true;
}

upcall::result<file> open_file_operation::take() {
    if (const std::error_code why = error()) return failure(why);
    auto opened = home_->via().adopt(opened_, handle_kind::file);
    if (!opened) return failure(opened.error());
    opened_ = no_native_handle;
    return file(std::move(*opened));
}

bool copy_operation::launch(context& where) noexcept {
    if (!given_.target || !given_.other) {
        why_ = errc::closed;
        return true;
    }
    if (given_.other->via != &where.home().via()) {
        why_ = errc::wrong_loop;
        return true;
    }
    // The one that is copied to is in nobody's hands otherwise, the other one only during a step.
    driver::hold(*given_.target);
    driver::hold(*given_.other);
    for (;;) {
        given_.size = std::min(left_, copy_step);
        if (!file_call_operation::launch(where)) return false;
        if (!advance()) return over();
    }
}

bool copy_operation::over() noexcept {
    given_.other->via->let_go(*given_.other);
    given_.target->via->let_go(*given_.target);
    return true;
}

bool copy_operation::settle() noexcept {
    while (advance()) {
        next_step();
        state = op_state::in_flight;
        if (!via->start(*this)) return false;
        state = op_state::ready;
    }
    return over();
}

void copy_operation::next_step() noexcept {
    asked_.offset = given_.offset;
    asked_.other_offset = given_.other_offset;
    asked_.size = std::min(left_, copy_step);
}

bool copy_operation::advance() noexcept {
    if (result < 0) {
        why_ = error_of(*this);
        return false;
    }
    const auto count = static_cast<std::uint64_t>(result);
    done_ += count;
    left_ -= count;
    given_.offset += count;
    given_.other_offset += count;
    if (count == 0 || left_ == 0) return false;
    if (given_.other->closing)
        why_ = errc::closed;
    else if (cause != cancel_cause::none)
        why_ = errc_of(cause);
    return !why_;
}

bool close_file_operation::launch(context& where) noexcept {
    outcome_ = raw_error(errc::closed);
    handle_record* record = file_.detach();
    if (!record) return true;
    record->transfers = nullptr;
    queue_.reset();  // what waits in it ends
    record->on_closed_argument = this;
    record->on_closed = [](void* argument, std::int64_t outcome) noexcept {
        auto& self = *static_cast<close_file_operation*>(argument);
        self.outcome_ = outcome;
        self.closed_ = true;
        if (!self.launching_) self.complete();
    };
    begin(where);
    cancel = [](operation&) noexcept {};  // closing goes on
    launching_ = true;
    record->via->close(*record);
    launching_ = false;
    if (!closed_) return false;
    retire();
    return true;
}

}  // namespace detail

result<file> file::adopt(native_handle opened) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto adopted = home->via().adopt(opened, handle_kind::file);
    if (!adopted) return failure(adopted.error());
    return file(std::move(*adopted));
}

result<native_handle> file::release() noexcept {
    if (!handle_) return failure(errc::closed);
    auto released = handle_.via().release(handle_);
    if (released) queue_.reset();
    return released;
}

result<void> file::limit_transfers(std::uint32_t depth) noexcept {
    if (!handle_) return failure(errc::closed);
    if (handle_.record()->in_flight > 0)
        return failure(std::make_error_code(std::errc::device_or_resource_busy));
    detail::file_queue_owner made;
    if (depth > 0) {
        auto created = detail::file_queue::create(depth);
        if (!created) return failure(created.error());
        made = std::move(*created);
    }
    queue_ = std::move(made);
    handle_.record()->transfers = queue_.get();
    return {};
}

}  // namespace upcall
