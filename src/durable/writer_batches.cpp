// How an ordered_writer hands writes to the kernel, and what it makes of the answers.
#include <algorithm>

#include <upcall/durable/detail/writer_core.hpp>

namespace upcall::detail {
namespace {

using wish = writer_entry::wish;

bool overlap(std::uint64_t begin, std::uint64_t end, std::uint64_t other_begin,
             std::uint64_t other_end) noexcept {
    return begin < other_end && other_begin < end;
}

}  // namespace

void writer_core::dispatch() noexcept {
    writer_entry* blocked = nullptr;  // the first that has to wait; what is queued behind may not
    writer_entry* next = queued_.empty() ? nullptr : &queued_.front();
    while (next) {
        if (!may_start(*next, blocked)) {
            if (!blocked) blocked = next;
            next = queued_.after(*next);
            continue;
        }
        writer_batch* batch = free_batch();
        if (!batch) return;
        next = fill(*batch, *next, blocked);
        run(*batch);
    }
}

writer_batch* writer_core::free_batch() noexcept {
    const auto idle =
        std::ranges::find_if(batches_, [](writer_batch& batch) { return batch.members.empty(); });
    return idle == batches_.end() ? nullptr : &*idle;
}

/// Whether nothing is in the way of a queued entry. All that is still queued between `blocked` and
/// it has to wait, too. An append learns its place here.
bool writer_core::may_start(writer_entry& entry, writer_entry* blocked) noexcept {
    // While a commit has the disk to itself, others gather to be the next.
    if (entry.wants == wish::commit && through_in_flight_) return false;
    if (entry.appends) {
        entry.offset = end_;
        return !blocked;
    }
    for (writer_batch& batch : batches_)
        if (!batch.members.empty() &&
            overlap(entry.offset, entry.end(), batch.begins, batch.ends()))
            return false;
    for (writer_entry* at = blocked; at && at != &entry; at = queued_.after(*at))
        if (at->appends ? entry.end() > end_
                        : overlap(entry.offset, entry.end(), at->offset, at->end()))
            return false;
    return true;
}

/// Whether the entry is best written durably at once: its mark may count only when all before it
/// are durable, and it must not wait for anything else.
bool writer_core::goes_through(writer_entry& entry) noexcept {
    return through_ && entry.wants == wish::commit && in_flight_ == 0 &&
           &queued_.front() == &entry && last_unsynced_ <= synced_;
}

/// Makes a batch of the entry and of those right behind it that go on where it ends. Returns the
/// next in the queue.
writer_entry* writer_core::fill(writer_batch& batch, writer_entry& first,
                                writer_entry* blocked) noexcept {
    batch.through = goes_through(first);
    batch.first = batch.count = batch.bytes = batch.moved = 0;
    batch.begins = first.offset;
    writer_entry* next = &first;
    do {
        writer_entry& entry = *next;
        next = queued_.after(entry);
        take(batch, entry);
    } while (next && joins(batch, *next, blocked));
    if (!batch.through) last_unsynced_ = std::max(last_unsynced_, batch.last_mark);
    return next;
}

bool writer_core::joins(const writer_batch& batch, writer_entry& entry,
                        writer_entry* blocked) noexcept {
    if (batch.count == writer_batch::members_max) return false;
    if (entry.size > writer_batch::bytes_max - std::min(batch.bytes, writer_batch::bytes_max))
        return false;
    if (batch.through && entry.wants != wish::commit) return false;
    return may_start(entry, blocked) && entry.offset == batch.ends();
}

void writer_core::take(writer_batch& batch, writer_entry& entry) noexcept {
    entry.list_hook<writer_core>::unlink();
    entry.at = writer_entry::stage::writing;
    batch.members.push_back(entry);
    batch.pieces[batch.count++] = byte_view(entry.data, entry.size);
    batch.bytes += entry.size;
    batch.last_mark = entry.mark;
    end_ = std::max(end_, entry.end());
}

void writer_core::run(writer_batch& batch) noexcept {
    ++in_flight_;
    through_in_flight_ = through_in_flight_ || batch.through;
    batch.kind = op_kind::file_write;
    batch.target = batch.through ? through_.record() : file_.record();
    batch.run = [](ready_node& node) noexcept {
        auto& mine = static_cast<writer_batch&>(node);
        writer_core& core = *mine.core;
        mine.retire();
        if (advance(mine)) return core.hand_over(mine);
        core.ended(mine);
        core.schedule();
        core.drop();
    };
    hold();
    hand_over(batch);
}

/// Starts what is left of a batch.
void writer_core::hand_over(writer_batch& batch) noexcept {
    const bool single = batch.count - batch.first == 1;
    io_slice* pieces = batch.pieces.data() + batch.first;
    batch.flags = single ? op_none : op_vectored;
    batch.data = single ? pieces->data : pieces;
    batch.size = single ? pieces->size : batch.count - batch.first;
    batch.offset = batch.begins + batch.moved;
    batch.begin(home_->background());
    if (!home_->via().start(batch)) return;
    // The core's own steps are taken from the loop, one at a time.
    batch.retire();
    batch.begin(home_->background());
    batch.complete();
}

/// Counts what was written. True when there is more to do.
bool writer_core::advance(writer_batch& batch) noexcept {
    if (batch.result <= 0) return false;
    auto count = static_cast<std::size_t>(batch.result);
    batch.moved += count;
    while (batch.first < batch.count && count >= batch.pieces[batch.first].size)
        count -= batch.pieces[batch.first++].size;
    if (batch.first == batch.count) return false;
    io_slice& cut = batch.pieces[batch.first];
    cut.data = static_cast<std::byte*>(cut.data) + count;
    cut.size -= count;
    return true;
}

void writer_core::ended(writer_batch& batch) noexcept {
    --in_flight_;
    if (batch.through) through_in_flight_ = false;
    const bool whole = batch.moved == batch.bytes;
    std::error_code why;
    if (!whole)
        why = batch.result < 0 ? error_of(batch)
                               : std::make_error_code(std::errc::no_space_on_device);
    if (whole && batch.through && condition_ != condition::poisoned)
        synced_ = std::max(synced_, batch.last_mark);
    std::size_t left = batch.moved;
    bool cut = false;
    while (writer_entry* entry = batch.members.pop_front()) {
        entry->done = std::min(left, entry->size);
        left -= entry->done;
        if (entry->done == entry->size) {
            wrote(*entry);
            continue;
        }
        // A write that was to be durable at once and failed is a sync that failed.
        if (!cut) batch.through ? poison(0, why) : break_at(entry->mark);
        cut = true;
        finish(*entry, why);
    }
}

/// All bytes of the entry are in the file.
void writer_core::wrote(writer_entry& entry) noexcept {
    if (entry.wants == wish::write || entry.mark <= synced_) return finish(entry, {});
    if (entry.cause != cancel_cause::none) return finish(entry, errc_of(entry.cause));
    if (entry.mark > broken_at_ || condition_ == condition::poisoned ||
        condition_ == condition::closed)
        return finish(entry, refusal());
    entry.at = writer_entry::stage::waiting;
    waiting_.push_back(entry);
}

}  // namespace upcall::detail
