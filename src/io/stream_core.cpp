#include <upcall/io/detail/stream_core.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <upcall/base/fatal.hpp>
#include <upcall/driver/learns_late.hpp>

#include "base/planted.hpp"

namespace upcall::detail {
namespace {

// A stream is taken for bulk after this many buffers in a row were filled to the brim, and for
// messages again after as many that were at most half full.
constexpr std::uint8_t streak_to_switch = 4;

void look_again(loop& home, io_source& receiving) noexcept {
    if (receiving.state != op_state::in_flight || !receiving.is_source()) return;
    if (auto* late = dynamic_cast<learns_late*>(&home.via())) late->look_again(receiving);
}

}  // namespace

stream_core::stream_core(loop& home, handle&& file) noexcept
    : home_(&home), file_(std::move(file)) {
    reading().target = file_.record();
    reading().deliver = [](io_source& source, std::int64_t value, std::byte* block) noexcept {
        stream_core& core = core_of(static_cast<stream_reading&>(source));
        core.received(value, block);
        core.pump_reads();
    };
    reading().run = [](ready_node& node) noexcept {
        stream_core& core = core_of(static_cast<stream_reading&>(node));
        core.reading().retire();
        core.completing_ = true;
        core.reading_ended();
        core.pump_reads();
        if (core.leaving_) core.left();
        core.end_completion();
    };
}

void stream_core::abandon() noexcept {
    abandoned_ = true;
    // The first of a queue may have an operation of its own, with which it ends.
    auto* reads = mode_ == reading_mode::direct ? readers_.pop() : nullptr;
    while (auto* waiter = static_cast<read_waiter*>(readers_.front()))
        finish_read(*waiter, raw_error(errc::closed));
    if (reads) readers_.push(*reads);
    auto* writes = writing_ ? writers_.pop() : nullptr;
    while (auto* waiter = static_cast<write_waiter*>(writers_.front()))
        finish_write(*waiter, raw_error(errc::closed));
    if (writes) writers_.push(*writes);
    if (leaving_) finish(*std::exchange(leaving_, nullptr), raw_error(errc::closed));
    received_.clear(home_->buffers());
    file_.close();  // ends what is in flight
    drop();
}

bool stream_core::admit(stream_waiter& waiter, context& where, std::uint16_t waiting) noexcept {
    waiter.core = this;
    cancel_cause refused = where.refuses(waiter.ends_on_stop);
    if (refused != cancel_cause::none)
        waiter.outcome = raw_error(errc_of(refused));
    else if (&where.home() != home_)
        waiter.outcome = raw_error(errc::wrong_loop);
    else if (leaving_)
        waiter.outcome = -EBUSY;
    else if (waiting >= waiting_max)
        waiter.outcome = UPCALL_PLANTED("a full queue swallows what it refuses")
                             ? static_cast<std::int64_t>(waiter.done)
                             : raw_error(errc::queue_full);
    else {
        waiter.begin(where);
        waiter.finished = false;
        waiter.launching = true;
        hold();
        return true;
    }
    return false;
}

/// Ends a waiter that has left its queue. One that is still being launched is told by its caller;
/// one whose turn it is runs at the end of the completion in progress; others are queued.
void stream_core::finish(stream_waiter& waiter, std::int64_t outcome) noexcept {
    waiter.outcome = outcome;
    waiter.finished = true;
    if (!waiter.launching) {
        if (completing_ && !runs_next_) {
            waiter.state = op_state::ready;
            runs_next_ = &waiter;
        } else {
            waiter.complete();
        }
    }
    drop();
}

/// The end of a completion that the loop runs: the waiter it was for needs no second trip through
/// the ready queue. What it does may free the core, so it comes last.
void stream_core::end_completion() noexcept {
    completing_ = false;
    stream_waiter* waiter = std::exchange(runs_next_, nullptr);
    drop();
    if (waiter) waiter->run(*waiter);
}

// ---- reading --------------------------------------------------------------------------------

bool read_waiter::wants_nothing() noexcept {
    if (form == waiter_form::lease) return false;
    while (form == waiter_form::slices && want > 0 && slices->size == 0) {
        ++slices;
        --want;
    }
    return want == 0;
}

bool stream_core::launch_read(read_waiter& waiter, context& where) noexcept {
    if (!admit(waiter, where, readers_waiting_)) return true;
    if (waiter.wants_nothing()) {
        // It says nothing about the stream, so it waits for nobody, either.
        finish(waiter, 0);
        waiter.launching = false;
        waiter.retire();
        return true;
    }
    waiter.cancel = cancel_read;
    if (waiter.form == waiter_form::message) one_by_one_ = true;
    readers_.push(waiter);
    ++readers_waiting_;
    if (!awaits_receive(waiter)) {
        hold();
        pump_reads();
        drop();
    }
    waiter.launching = false;
    if (!waiter.finished) return false;
    waiter.retire();
    return true;
}

/// Whether there is nothing to do for a waiter but to wait for what the armed receive brings.
bool stream_core::awaits_receive(const read_waiter& waiter) const noexcept {
    return mode_ == reading_mode::receive && waiter.form == waiter_form::lease &&
           received_.empty() && ended_ == 0 && !abandoned_;
}

void stream_core::cancel_read(operation& op) noexcept {
    auto& waiter = static_cast<read_waiter&>(op);
    stream_core& core = *waiter.core;
    if (core.mode_ == reading_mode::direct && core.readers_.front() == &waiter) {
        core.reading().request_cancel(waiter.cause);
        return;
    }
    if (core.mode_ == reading_mode::receive && core.readers_.front() == &waiter) {
        // Something may have arrived all the same, and is here as soon as the loop runs what has
        // come already, or at once.
        if (core.reading().state == op_state::ready && core.reading().result > 0 && !waiter.whole)
            return;
        if (waiter.form == waiter_form::lease) look_again(core.home(), core.reading());
        if (waiter.finished) return;
    }
    core.finish_read(waiter, raw_error(errc_of(waiter.cause)));
    if (core.mode_ == reading_mode::receive) core.disarm_receive_of_others();
}

/// Ends the armed receive if what it brings is for nobody who wants it so.
void stream_core::disarm_receive_of_others() noexcept {
    const auto* first = static_cast<const read_waiter*>(readers_.front());
    // A reader with a buffer of its own is better served by a read of its own.
    const bool wants_none = first && first->form != waiter_form::lease;
    const bool reads_ahead = one_by_one_ && (!first || reading().is_source());
    if (wants_none || reads_ahead) reading().request_cancel(cancel_cause::cancelled);
}

void stream_core::finish_read(read_waiter& waiter, std::int64_t outcome) noexcept {
    readers_.remove(waiter);
    --readers_waiting_;
    finish(waiter, outcome);
}

void stream_core::pump_reads() noexcept {
    if (pumping_) return;
    pumping_ = true;
    while (auto* waiter = static_cast<read_waiter*>(readers_.front())) {
        if (mode_ == reading_mode::direct) break;
        if (UPCALL_PLANTED("the end overtakes what was received") && ended_ != 0)
            received_.clear(home_->buffers());
        if (!received_.empty()) {
            if (serve(*waiter)) finish_read(*waiter, static_cast<std::int64_t>(waiter->done));
            continue;
        }
        if (ended_ != 0) {
            finish_read(*waiter, std::exchange(ended_, 0));
            continue;
        }
        if (abandoned_) {
            finish_read(*waiter, raw_error(errc::closed));
            continue;
        }
        if (mode_ == reading_mode::receive) {
            disarm_receive_of_others();
            break;
        }
        if (waiter->form == waiter_form::lease)
            arm_receive();
        else
            start_direct(*waiter);
    }
    pumping_ = false;
}

/// Gives the waiter what was received. True when that is all it wants.
bool stream_core::serve(read_waiter& waiter) noexcept {
    buffer_pool& pool = home_->buffers();
    if (waiter.form == waiter_form::lease) {
        waiter.block = received_.pop_block(pool);
        const auto& note = pool.note_of(waiter.block);
        waiter.want = note.begin;
        waiter.done = note.size - note.begin;
        return true;
    }
    const std::size_t count = copy_out(waiter, received_.front(pool));
    waiter.done += count;
    received_.drop_front(pool, count);
    return !waiter.whole || waiter.done == waiter.want;
}

/// Gives a waiter for a lease the block that has just been received.
void stream_core::hand_over(read_waiter& waiter, std::byte* block, std::size_t count) noexcept {
    waiter.block = block;
    waiter.want = 0;
    waiter.done = count;
    finish_read(waiter, static_cast<std::int64_t>(count));
}

/// Copies into the waiter's room what fits; how many bytes.
std::size_t stream_core::copy_out(read_waiter& waiter, byte_view from) noexcept {
    if (waiter.form != waiter_form::slices) {
        auto* into = waiter.form == waiter_form::buffer
                         ? waiter.into
                         : static_cast<std::byte*>(waiter.content->slices->data);
        const std::size_t count = std::min(from.size(), waiter.want - waiter.done);
        std::memcpy(into + waiter.done, from.data(), count);
        return count;
    }
    std::size_t copied = 0;
    for (std::size_t at = 0; at < waiter.want && copied < from.size(); ++at) {
        const std::size_t count = std::min(from.size() - copied, waiter.slices[at].size);
        if (count > 0) std::memcpy(waiter.slices[at].data, from.data() + copied, count);
        copied += count;
    }
    return copied;
}

void stream_core::arm_receive() noexcept {
    mode_ = reading_mode::receive;
    reading().kind = op_kind::receive;
    reading().flags = bulk_ ? op_bulk : one_by_one_ ? op_none : op_multishot;
    reading().begin(home_->background());
    hold();
    if (!home_->via().start(reading())) return;
    reading().retire();
    reading_ended();
    drop();  // never the last: the waiter holds one
}

void stream_core::start_direct(read_waiter& waiter) noexcept {
    mode_ = reading_mode::direct;
    reading().kind = op_kind::read;
    reading().flags = op_none;
    reading().size = waiter.want;
    if (waiter.form == waiter_form::slices) {
        reading().flags = op_vectored;
        reading().data = waiter.slices;
    } else if (waiter.form == waiter_form::message) {
        reading().kind = op_kind::receive_message;
        reading().data = waiter.content;
    } else {
        reading().data = waiter.into + waiter.done;
        reading().size -= waiter.done;
    }
    reading().begin(home_->background());
    hold();
    if (!home_->via().start(reading())) return;
    reading().retire();
    reading_ended();
    drop();
}

/// The operation in the driver has ended, and is idle.
void stream_core::reading_ended() noexcept {
    const reading_mode was = std::exchange(mode_, reading_mode::none);
    const std::int64_t outcome = reading().result;
    if (was == reading_mode::receive) return received(outcome, reading().leased);

    auto& waiter = static_cast<read_waiter&>(*readers_.front());
    if (UPCALL_PLANTED("a read that was cancelled drops its bytes") &&
        waiter.cause != cancel_cause::none)
        return finish_read(waiter, raw_error(errc_of(waiter.cause)));
    if (outcome > 0) {
        waiter.done += static_cast<std::size_t>(outcome);
        const bool satisfied = !waiter.whole || waiter.done == waiter.want;
        if (satisfied) return finish_read(waiter, static_cast<std::int64_t>(waiter.done));
        if (waiter.cause == cancel_cause::none && !abandoned_) return;  // the pump goes on
        return finish_read(waiter, raw_error(abandoned_ ? errc::closed : errc_of(waiter.cause)));
    }
    if (outcome == 0) return finish_read(waiter, raw_error(errc::end_of_stream));
    if (outcome == -ECANCELED) {
        const bool asked = waiter.cause != cancel_cause::none;
        return finish_read(waiter, raw_error(asked ? errc_of(waiter.cause) : errc::closed));
    }
    finish_read(waiter, outcome);
}

/// Files what the receive operation brought: a value, or its end.
void stream_core::received(std::int64_t value, std::byte* block) noexcept {
    if (value <= 0) {
        if (value == 0) ended_ = raw_error(errc::end_of_stream);
        if (value < 0 && value != -ECANCELED) ended_ = value;
        return;
    }
    if (abandoned_) return home_->buffers().give_back(block);
    if (UPCALL_PLANTED("a chunk that nobody waits for is dropped") && readers_.empty())
        return home_->buffers().give_back(block);
    auto* first = static_cast<read_waiter*>(readers_.front());
    const bool taken = first && first->form == waiter_form::lease && received_.empty();
    if (!taken) received_.push(home_->buffers(), block, static_cast<std::size_t>(value));
    adapt(value);
    if (taken) return hand_over(*first, block, static_cast<std::size_t>(value));
    const std::size_t unread_max = home_->buffers().runs_low() ? 1 : received_max;
    if (received_.size() >= unread_max) reading().request_cancel(cancel_cause::cancelled);
}

void stream_core::adapt(std::int64_t value) noexcept {
    const auto small = static_cast<std::int64_t>(home_->buffers().small_bytes());
    const bool speaks_for_switch = bulk_ ? value <= small / 2 : value == small;
    streak_ = speaks_for_switch ? static_cast<std::uint8_t>(streak_ + 1) : std::uint8_t{0};
    if (streak_ < streak_to_switch) return;
    streak_ = 0;
    bulk_ = !bulk_;
    reading().request_cancel(cancel_cause::cancelled);  // to be armed again in the other way
}

// ---- writing --------------------------------------------------------------------------------

bool stream_core::launch_write(write_waiter& waiter, context& where) noexcept {
    if (!admit(waiter, where, writers_waiting_)) return true;
    waiter.cancel = cancel_write;
    const bool first = writers_.empty();
    writers_.push(waiter);
    ++writers_waiting_;
    if (first) {
        hold();
        pump_writes();
        drop();
    }
    waiter.launching = false;
    if (!waiter.finished) return false;
    waiter.retire();
    return true;
}

void stream_core::cancel_write(operation& op) noexcept {
    auto& waiter = static_cast<write_waiter&>(op);
    stream_core& core = *waiter.core;
    if (core.writers_.front() == &waiter) {
        core.writing_->request_cancel(waiter.cause);
        return;
    }
    core.finish_write(waiter, raw_error(errc_of(waiter.cause)));
}

void stream_core::finish_write(write_waiter& waiter, std::int64_t outcome) noexcept {
    writers_.remove(waiter);
    --writers_waiting_;
    finish(waiter, outcome);
}

/// False: there is no memory for an operation.
bool stream_core::prepare_writing() noexcept {
    if (writing_) return true;
    try {
        writing_ = new write_operation;
    } catch (const std::bad_alloc&) {
        return false;
    }
    writing_->core = this;
    writing_->target = file_.record();
    writing_->run = [](ready_node& node) noexcept {
        auto& writing = static_cast<write_operation&>(node);
        stream_core& core = *writing.core;
        writing.retire();
        core.completing_ = true;
        core.writing_ended();
        core.pump_writes();
        core.end_completion();
    };
    return true;
}

void stream_core::pump_writes() noexcept {
    while (auto* waiter = static_cast<write_waiter*>(writers_.front())) {
        if (abandoned_) {
            finish_write(*waiter, raw_error(errc::closed));
        } else if (waiter->form == waiter_form::shutdown) {
            const auto done = home_->via().shut_down(*file_.record(), shut::writing);
            finish_write(*waiter, done ? 0 : raw_error(done.error()));
        } else if (!prepare_writing()) {
            finish_write(*waiter, -ENOMEM);
        } else if (!start_write(*waiter)) {
            return;
        } else {
            writing_->retire();
            writing_ended();
        }
    }
    delete std::exchange(writing_, nullptr);
}

/// Hands the rest of the waiter's bytes to the driver. True: the outcome is there.
bool stream_core::start_write(write_waiter& waiter) noexcept {
    writing_->kind = op_kind::write;
    writing_->flags = waiter.whole ? op_whole : op_none;
    writing_->size = waiter.left;
    if (waiter.form == waiter_form::message) {
        writing_->kind = op_kind::send_message;
        writing_->data = waiter.content;
    } else if (waiter.form == waiter_form::slices) {
        writing_->flags |= op_vectored;
        writing_->data = waiter.slices;
    } else {
        writing_->data = const_cast<std::byte*>(waiter.data);
    }
    writing_->begin_unlinked(home_->background());
    if (home_->via().start(*writing_)) return true;
    hold();
    return false;
}

void stream_core::writing_ended() noexcept {
    auto& waiter = static_cast<write_waiter&>(*writers_.front());
    if (wrote(waiter, writing_->result)) return;
    const bool cut_short = waiter.left > 0;
    std::int64_t outcome = writing_->result;
    if (outcome == -ECANCELED || (outcome >= 0 && cut_short && waiter.whole)) {
        const bool asked = waiter.cause != cancel_cause::none;
        outcome = raw_error(asked ? errc_of(waiter.cause) : errc::closed);
    }
    finish_write(waiter, outcome < 0 ? outcome : static_cast<std::int64_t>(waiter.done));
    if (!cut_short || waiter.done == 0) return;
    while (auto* behind = static_cast<write_waiter*>(writers_.front())) {
        if (behind->form == waiter_form::shutdown) break;
        finish_write(*behind, raw_error(errc::broken_stream));
    }
}

/// Takes the outcome of one write into account. True when the rest is to be written next.
bool stream_core::wrote(write_waiter& waiter, std::int64_t outcome) noexcept {
    if (outcome < 0) return false;
    auto count = static_cast<std::size_t>(outcome);
    waiter.done += count;
    if (waiter.form == waiter_form::slices) {
        while (waiter.left > 0 && count >= waiter.slices->size) {
            count -= waiter.slices->size;
            ++waiter.slices;
            --waiter.left;
        }
        if (waiter.left > 0) {
            waiter.slices->data = static_cast<std::byte*>(waiter.slices->data) + count;
            waiter.slices->size -= count;
        }
    } else {
        if (waiter.form == waiter_form::message && count > 0) {
            // The descriptors went with the first byte; the rest is bytes alone.
            waiter.form = waiter_form::buffer;
            waiter.data = static_cast<const std::byte*>(waiter.content->slices->data);
        }
        waiter.data += count;
        waiter.left -= count;
    }
    if (UPCALL_PLANTED("a whole write ends with its first part")) waiter.left = 0;
    return waiter.whole && waiter.left > 0 && waiter.cause == cancel_cause::none && !abandoned_;
}

// ---- leaving --------------------------------------------------------------------------------

bool stream_core::launch_leave(stream_waiter& waiter, context& where) noexcept {
    if (!admit(waiter, where, 0)) return true;
    waiter.cancel = cancel_leave;
    if (!readers_.empty() || !writers_.empty()) {
        finish(waiter, -EBUSY);
    } else if (reading().state == op_state::idle) {
        finish(waiter, 0);
    } else {
        leaving_ = &waiter;
        reading().request_cancel(cancel_cause::cancelled);
    }
    waiter.launching = false;
    if (!waiter.finished) return false;
    waiter.retire();
    return true;
}

/// The receive operation has ended while somebody wants to leave; nobody could start another.
void stream_core::left() noexcept { finish(*std::exchange(leaving_, nullptr), 0); }

void stream_core::cancel_leave(operation& op) noexcept {
    auto& waiter = static_cast<stream_waiter&>(op);
    waiter.core->leaving_ = nullptr;
    waiter.core->finish(waiter, raw_error(errc_of(waiter.cause)));
}

std::vector<std::byte> stream_core::take_received() {
    buffer_pool& pool = home_->buffers();
    std::vector<std::byte> bytes;
    bytes.reserve(received_.bytes(pool));
    while (!received_.empty()) {
        const lease first = received_.pop(pool);
        bytes.insert(bytes.end(), first.data(), first.data() + first.size());
    }
    return bytes;
}

bool stream_core::put_received(byte_view bytes, std::int64_t end) {
    buffer_pool& pool = home_->buffers();
    while (!bytes.empty()) {
        const bool large = bytes.size() > pool.small_bytes();
        std::byte* block = large ? pool.take_large() : pool.take_small();
        if (!block) block = large ? pool.take_small() : pool.take_large();
        if (!block) {
            received_.clear(pool);
            return false;
        }
        const std::size_t room = pool.is_large(block) ? pool.large_bytes() : pool.small_bytes();
        const std::size_t count = std::min(bytes.size(), room);
        std::memcpy(block, bytes.data(), count);
        received_.push(pool, block, count);
        bytes = bytes.subspan(count);
    }
    ended_ = end;
    return true;
}

}  // namespace upcall::detail
