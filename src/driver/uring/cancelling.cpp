// How operations in the kernel are ended: one by one, and all of a handle that is being closed.
#include <algorithm>
#include <cerrno>
#include <new>

#include "driver/guard.hpp"
#include "driver/uring/uring_driver.hpp"
#include "driver/uring/user_data.hpp"

namespace upcall {

using namespace uring_abi;

namespace {

// Between two times of asking for the end of all that a closed handle has in the kernel: this long
// at first, twice as long each time, at most a thousand times as long.
constexpr duration first_pause = std::chrono::milliseconds(1);
constexpr int pause_doublings_max = 10;

}  // namespace

void uring_driver::cancel(io_operation& op) noexcept {
    if (op.driver_state & pooled) return pool_.cancel(op);
    if (op.driver_state & set_aside) {
        queue_of(op).remove(op);
        give_up(op);
        return finish(op, -ECANCELED);
    }
    queue_cancel(op);
}

/// Where an operation waits that is not in the kernel.
uring_driver::operation_queue& uring_driver::queue_of(const io_operation& op) noexcept {
    if ((op.driver_state & due) == due) return due_;
    if (op.driver_state & dry) return dry_;
    return op.driver_state & parked ? parked_ : starved_;
}

/// Undoes what `submit` prepared, for an operation that is not in the kernel.
void uring_driver::give_up(io_operation& op) noexcept {
    op.driver_state = 0;
    release_entry(op);
    unguard(op);
}

void uring_driver::queue_cancel(io_operation& op) noexcept {
    sqe* entry = room();
    if (!entry) {
        op.driver_state |= cancel_waiting;
        cancels_waiting_.push(op);
        return;
    }
    op.driver_state |= cancel_asked;
    entry->opcode = uring_abi::op::async_cancel;
    entry->fd = -1;
    entry->addr = user_data_of(op);
    entry->user_data = user_data_of(op) | tag_cancel;
}

// Matching by file also finds operations of another record over the same open file. Those see a
// cancellation that nobody asked for, and `retry` starts them again.
void uring_driver::cancel_all(handle_record& target) noexcept {
    for (operation_queue* waiting : {&parked_, &starved_, &dry_, &due_}) {
        operation_queue kept;
        while (io_operation* op = waiting->pop()) {
            if (op->target != &target) {
                kept.push(*op);
                continue;
            }
            give_up(*op);
            finish_later_.push(*op);
        }
        while (io_operation* op = kept.pop()) waiting->push(*op);
    }
    auto& closing = static_cast<record&>(target);
    try {
        closing.note = new closing_note;
        closing.note->of = &closing;
        closing_.push_back(*closing.note);
    } catch (const std::bad_alloc&) {
        closing.note = nullptr;  // it is asked once then, which is nearly always enough
    }
    ask_to_end_all(closing);
    if (closing.blocks) pool_.cancel_all(closing);
    // The last of these may free the record, so nothing touches it afterwards.
    while (io_operation* op = finish_later_.pop()) finish(*op, -ECANCELED);
}

// Without room for the entry it is tried again with the next turn.
void uring_driver::ask_to_end_all(const record& closing) noexcept {
    sqe* entry = room();
    if (closing.note) {
        closing.note->asked = entry != nullptr;
        closing.note->ask_again = entry ? never : time_point::min();
    }
    if (!entry) return;
    entry->opcode = uring_abi::op::async_cancel;
    entry->fd = closing.fd();
    entry->cancel_flags = cancel_flag::fd | cancel_flag::all;
    entry->user_data = reinterpret_cast<std::uintptr_t>(closing.note) | tag_end_all;
}

// What was between two states of the kernel's own when it was asked may wait again. If anything is
// in flight still a while later, the kernel is asked again; a transfer of a file ends by itself.
void uring_driver::asked_to_end_all(closing_note& note) noexcept {
    note.asked = false;
    if (!note.of) return drop(note);
    if (note.of->kind == handle_kind::file || note.of->blocks) return;
    note.ask_again = saturating_add(now(), first_pause * (1 << note.times_asked));
    if (note.times_asked < pause_doublings_max) ++note.times_asked;
}

void uring_driver::drop(closing_note& note) noexcept {
    note.unlink();
    delete &note;
}

void uring_driver::ask_again() noexcept {
    if (closing_.empty()) return;
    const time_point moment = now();
    closing_.for_each([&](closing_note& note) {
        if (note.of && note.ask_again <= moment) ask_to_end_all(*note.of);
    });
}

}  // namespace upcall
