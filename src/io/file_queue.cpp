#include <upcall/io/detail/file_queue.hpp>

#include <algorithm>
#include <cerrno>
#include <span>

#include <upcall/base/fatal.hpp>
#include <upcall/io/detail/file_operations.hpp>

namespace upcall::detail {
namespace {

// What Linux moves at most in one call (read(2)), however much is asked for.
constexpr std::uint64_t bytes_max = 0x7ffff000;

std::uint64_t bytes_of_transfer(const io_operation& op) noexcept {
    if (!(op.flags & op_vectored)) return std::min<std::uint64_t>(op.size, bytes_max);
    std::uint64_t sum = 0;
    for (const io_slice& piece : std::span(static_cast<const io_slice*>(op.data), op.size))
        sum = std::min<std::uint64_t>(sum + std::min<std::uint64_t>(piece.size, bytes_max),
                                      bytes_max);
    return sum;
}

}  // namespace

void file_queue_end::operator()(file_queue* ended) const noexcept { ended->close(); }

result<file_queue_owner> file_queue::create(std::uint32_t depth) noexcept {
    try {
        return file_queue_owner(new file_queue(std::clamp<std::uint32_t>(depth, 1, depth_max)));
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
}

file_queue::file_queue(std::uint32_t depth) : places_(std::make_unique<place[]>(depth)) {
    lanes_.emplace_back();
    for (std::uint32_t at = 0; at < depth; ++at) {
        places_[at].of = this;
        places_[at].run = [](ready_node& node) noexcept {
            auto& self = static_cast<place&>(node);
            self.of->come_back(self);
        };
        places_[at].next_free = free_;
        free_ = &places_[at];
    }
}

// A class that has nothing waiting and is not ahead of those that are served says nothing: its lane
// is the next class's. So there are never more of them than classes that were busy at once.
file_queue::lane* file_queue::lane_of(const task_class& wanted) noexcept {
    lane* spare = nullptr;
    for (lane& one : lanes_) {
        if (one.of == &wanted) return &one;
        if (one.waiting.empty() && one.had <= served_) spare = &one;
    }
    try {
        if (!spare) spare = &lanes_.emplace_back();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    spare->of = &wanted;
    return spare;
}

file_queue::lane* file_queue::next_lane() noexcept {
    lane* least = nullptr;
    for (lane& one : lanes_)
        if (!one.waiting.empty() && (!least || one.had < least->had)) least = &one;
    return least;
}

// As long as a place is free nothing waits: whatever frees one fills it.
bool file_queue::take(file_transfer& op) noexcept {
    op.cancel = [](operation& asked) noexcept {
        auto& transfer = static_cast<file_transfer&>(asked);
        transfer.queue()->cancel(transfer);
    };
    op.driver_block = nullptr;
    lane* own = closed_ ? nullptr : lane_of(op.owner->in_class());
    if (!own) {
        op.result = closed_ ? raw_error(errc::closed) : -ENOMEM;
        return true;
    }
    if (own->waiting.empty()) own->had = std::max(own->had, served_);
    if (free_) return admit(*own, op);
    own->waiting.push(op);
    return false;
}

bool file_queue::admit(lane& from, file_transfer& op) noexcept {
    served_ = from.had;
    from.had += (transfer_bytes + bytes_of_transfer(op)) * 1000 / from.of->shares();
    place& by = *free_;
    free_ = by.next_free;
    ++busy_;
    by.serves = &op;
    op.driver_block = &by;
    if (!hand_over(by, op)) return false;
    give_back(by);
    return true;
}

void file_queue::admit_waiting() noexcept {
    while (free_) {
        lane* from = next_lane();
        if (!from) return;
        auto& op = static_cast<file_transfer&>(*from->waiting.pop());
        if (admit(*from, op)) op.complete();
    }
}

/// Starts what is left of the transfer. True: it is over.
bool file_queue::hand_over(place& by, file_transfer& op) noexcept {
    do {
        by.kind = op.kind;
        by.flags = op.flags;
        by.target = op.target;
        by.data = op.data;
        by.size = op.size;
        by.offset = op.offset;
        by.begin_unlinked(op.owner->home().background());
        if (!op.target->via->start(by)) return false;
        by.retire();
        op.result = by.result;
    } while (op.again());
    return true;
}

void file_queue::come_back(place& by) noexcept {
    by.retire();
    file_transfer& op = *by.serves;
    op.result = by.result;
    if (op.again() && !hand_over(by, op)) return;
    give_back(by);
    op.complete();
    admit_waiting();
    end_if_unused();
}

void file_queue::give_back(place& by) noexcept {
    by.serves = nullptr;
    by.next_free = free_;
    free_ = &by;
    --busy_;
}

// What a place works on is asked to end, and its answer stands. What waits has not happened.
void file_queue::cancel(file_transfer& op) noexcept {
    if (op.driver_block) return static_cast<place*>(op.driver_block)->request_cancel(op.cause);
    lane* from = lane_of(op.owner->in_class());
    const bool waited = from && from->waiting.remove(op);
    UPCALL_ASSERT(waited);
    op.result = -ECANCELED;
    op.complete();
}

void file_queue::close() noexcept {
    closed_ = true;
    for (lane& one : lanes_) {
        while (io_operation* op = one.waiting.pop()) {
            op->result = raw_error(errc::closed);
            op->complete();
        }
    }
    end_if_unused();
}

void file_queue::end_if_unused() noexcept {
    if (closed_ && busy_ == 0) delete this;
}

}  // namespace upcall::detail
