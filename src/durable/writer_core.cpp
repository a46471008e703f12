#include <upcall/durable/detail/writer_core.hpp>

#include <algorithm>

#include "base/planted.hpp"

namespace upcall::detail {
namespace {

constexpr std::uint64_t offset_max = std::numeric_limits<std::int64_t>::max();

}  // namespace

writer_core::writer_core(loop& home, file&& into, file&& through, std::uint64_t end,
                         std::size_t waiting_max) noexcept
    : home_(&home),
      file_(std::move(into)),
      through_(std::move(through)),
      end_(end),
      waiting_max_(waiting_max) {
    for (writer_batch& batch : batches_) batch.core = this;
    sync_.core = this;
    sync_.kind = op_kind::file_call;
    sync_.asked.what = file_call::sync_data;
    sync_.data = &sync_.asked;
    sync_.target = file_.record();
    sync_.run = [](ready_node& node) noexcept {
        auto& ended = static_cast<sync_operation&>(node);
        ended.retire();
        ended.core->synced();
        ended.core->drop();
    };
    pump_.core = this;
    pump_.run = [](ready_node& node) noexcept {
        auto& mine = static_cast<pump_node&>(node);
        mine.queued = false;
        mine.core->pump();
        mine.core->drop();
    };
}

void writer_core::abandon() noexcept {
    condition_ = condition::closed;
    finish_all(queued_, errc::closed);
    finish_all(waiting_, errc::closed);
    drop();
}

std::error_code writer_core::refusal() const noexcept {
    switch (condition_) {
        case condition::working:
            return closing_ ? make_error_code(errc::closed) : std::error_code{};
        case condition::broken:
            return errc::broken_stream;
        case condition::poisoned:
            return errc::not_durable;
        case condition::closed:
            break;
    }
    return errc::closed;
}

// ---- entries --------------------------------------------------------------------------------

/// Why it may not start; empty when it may.
std::error_code writer_core::objection(writer_entry& entry, const context& where) const noexcept {
    using wish = writer_entry::wish;
    if (entry.appends) entry.offset = end_;
    if (&where.home() != home_) return errc::wrong_loop;
    if (entry.wants == wish::drain) return {};
    const cancel_cause refused = where.refuses(entry.ends_on_stop);
    if (refused != cancel_cause::none) return errc_of(refused);
    if (condition_ != condition::working) return refusal();
    if (closing_ && entry.wants != wish::sync) return errc::closed;
    // The one sync of a writer that is being closed finds room behind all that wait.
    if (waiting_count_ >= waiting_max_ && !closing_) return errc::queue_full;
    if (entry.offset > offset_max || entry.size > offset_max - entry.offset)
        return std::make_error_code(std::errc::invalid_argument);
    return {};
}

/// Gives the entry its mark. True when there is nothing to wait for.
bool writer_core::is_over(writer_entry& entry) noexcept {
    using wish = writer_entry::wish;
    if (entry.wants == wish::drain) return is_idle();
    if (entry.wants != wish::sync && entry.size > 0) {
        entry.mark = ++last_mark_;
        if (entry.wants == wish::commit) wanted_ = entry.mark;
        return false;
    }
    entry.mark = last_mark_;
    if (entry.wants == wish::write) return true;  // of no bytes
    entry.wants = wish::sync;
    if (entry.mark <= synced_) return true;
    wanted_ = std::max(wanted_, entry.mark);
    return false;
}

bool writer_core::launch(writer_entry& entry, context& where) noexcept {
    entry.core = this;
    entry.why = objection(entry, where);
    if (entry.why || is_over(entry)) return true;
    const bool writes = entry.size > 0;
    entry.at = writes ? writer_entry::stage::queued : writer_entry::stage::waiting;
    entry.begin(where);
    entry.cancel = cancel_entry;
    (writes ? queued_ : waiting_).push_back(entry);
    if (entry.wants != writer_entry::wish::drain) ++waiting_count_;
    schedule();
    return false;
}

void writer_core::cancel_entry(operation& op) noexcept {
    auto& entry = static_cast<writer_entry&>(op);
    if (entry.at == writer_entry::stage::writing || entry.wants == writer_entry::wish::drain)
        return;  // it goes on
    entry.list_hook<writer_core>::unlink();
    entry.core->finish(entry, errc_of(entry.cause));
    entry.core->schedule();  // for those that it was in the way of
}

/// Ends an entry that has left its list.
void writer_core::finish(writer_entry& entry, std::error_code why) noexcept {
    entry.why = why;
    if (entry.wants != writer_entry::wish::drain) --waiting_count_;
    entry.complete();
}

void writer_core::finish_all(entries& of, std::error_code why) noexcept {
    while (writer_entry* entry = of.pop_front()) finish(*entry, why);
}

// ---- turns ----------------------------------------------------------------------------------

void writer_core::schedule() noexcept {
    if (pump_.queued) return;
    pump_.queued = true;
    hold();
    home_->ready().push(pump_);
}

void writer_core::pump() noexcept {
    dispatch();
    settle_waiting();
    consider_sync();
}

void writer_core::settle_waiting() noexcept {
    waiting_.for_each([this](writer_entry& entry) {
        const bool drains = entry.wants == writer_entry::wish::drain;
        const bool over = drains ? is_idle() : entry.mark <= synced_;
        if (!over) return;
        entry.list_hook<writer_core>::unlink();
        finish(entry, {});
    });
}

// ---- durability -----------------------------------------------------------------------------

/// All writes up to this mark have ended, and none of them was cut short.
std::uint64_t writer_core::ended_mark() noexcept {
    std::uint64_t first = std::min(last_mark_ + 1, broken_at_);
    if (!queued_.empty()) first = std::min(first, queued_.front().mark);
    if (UPCALL_PLANTED("a sync covers writes in flight")) return first - 1;
    for (writer_batch& batch : batches_)
        if (!batch.members.empty()) first = std::min(first, batch.members.front().mark);
    return first - 1;
}

void writer_core::consider_sync() noexcept {
    if (syncing_ || condition_ == condition::poisoned || condition_ == condition::closed) return;
    bool wanted = false;
    waiting_.for_each([&wanted](const writer_entry& entry) {
        wanted = wanted || entry.wants != writer_entry::wish::drain;
    });
    if (!wanted) return;
    if (goal_ <= synced_) goal_ = std::min(wanted_, broken_at_ - 1);
    const std::uint64_t ended_up_to = ended_mark();
    if (UPCALL_PLANTED("a commit counts before its sync")) synced_ = ended_up_to;
    if (goal_ <= synced_ || ended_up_to < goal_) return;
    covered_ = ended_up_to;
    syncing_ = true;
    hold();
    sync_.begin(home_->background());
    if (!home_->via().start(sync_)) return;
    // The core's own steps are taken from the loop, one at a time.
    sync_.retire();
    sync_.begin(home_->background());
    sync_.complete();
}

void writer_core::synced() noexcept {
    syncing_ = false;
    if (sync_.result < 0 && !UPCALL_PLANTED("a writer goes on after a failed sync"))
        poison(covered_, error_of(sync_));
    else if (condition_ != condition::poisoned)
        synced_ = std::max(synced_, covered_);
    settle_waiting();
    schedule();  // behind those who go on: what they write next is part of the next group
}

/// The write with this mark was cut short.
void writer_core::break_at(std::uint64_t mark) noexcept {
    if (condition_ == condition::working) condition_ = condition::broken;
    broken_at_ = std::min(broken_at_, mark);
    goal_ = std::min(goal_, broken_at_ - 1);
    finish_all(queued_, refusal());
    waiting_.for_each([this](writer_entry& entry) {
        if (entry.wants == writer_entry::wish::drain || entry.mark < broken_at_) return;
        entry.list_hook<writer_core>::unlink();
        finish(entry, refusal());
    });
}

/// What was to be made durable up to a mark was not, and nobody can tell how much of it.
void writer_core::poison(std::uint64_t up_to, std::error_code why) noexcept {
    if (condition_ != condition::closed) condition_ = condition::poisoned;
    finish_all(queued_, refusal());
    waiting_.for_each([&](writer_entry& entry) {
        if (entry.wants == writer_entry::wish::drain) return;
        entry.list_hook<writer_core>::unlink();
        finish(entry, entry.mark <= up_to ? why : refusal());
    });
}

}  // namespace upcall::detail
