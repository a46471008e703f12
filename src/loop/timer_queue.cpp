#include <upcall/loop/timer_queue.hpp>

#include <bit>

#include <upcall/base/fatal.hpp>

#include "base/planted.hpp"

namespace upcall {
namespace {

std::int64_t nanoseconds(time_point when) noexcept { return when.time_since_epoch().count(); }

bool before(const timer_node& left, const timer_node& right) noexcept {
    if (left.deadline != right.deadline) return left.deadline < right.deadline;
    return left.sequence < right.sequence;
}

}  // namespace

int timer_queue::bucket_of(std::int64_t deadline_ns) const noexcept {
    if (deadline_ns <= last_ns_) return 0;
    const auto differing = static_cast<std::uint64_t>(deadline_ns ^ last_ns_);
    return 64 - std::countl_zero(differing);  // at most 63: both are positive
}

void timer_queue::place(timer_node& timer) noexcept {
    const int index = bucket_of(nanoseconds(timer.deadline));
    timer.bucket = static_cast<std::uint8_t>(index);
    bucket_[index].push_back(timer);
    ++count_[index];
    occupied_ |= std::uint64_t{1} << index;
}

void timer_queue::add(timer_node& timer, time_point deadline) noexcept {
    UPCALL_ASSERT(!timer.armed());
    timer.deadline = deadline < time_point{} ? time_point{} : deadline;
    timer.sequence = sequence_++;
    ++size_;
    place(timer);
    if (timer.deadline < next_) next_ = timer.deadline;
}

void timer_queue::remove(timer_node& timer) noexcept {
    timer.unlink();
    --size_;
    if (timer.bucket >= buckets) return;  // it was due and waited in fire_due's list
    if (--count_[timer.bucket] == 0) occupied_ &= ~(std::uint64_t{1} << timer.bucket);
    if (size_ == 0) {
        next_ = never;
        next_known_ = true;
    }
    // Otherwise `next_` may now be early, which its contract allows.
}

time_point timer_queue::next_deadline() noexcept {
    if (occupied_ == 0) return never;
    if (next_known_) return next_;
    next_known_ = true;
    const int index = std::countr_zero(occupied_);
    if (index == 0) {
        next_ = time_point(duration(last_ns_));
    } else if (count_[index] <= scan_max) {
        next_ = never;
        bucket_[index].for_each([this](timer_node& timer) {
            if (timer.deadline < next_) next_ = timer.deadline;
        });
    } else {
        // Unsigned: in the last bucket the mask needs the bit that is the sign.
        const std::uint64_t low_bit = std::uint64_t{1} << (index - 1);
        const auto last = static_cast<std::uint64_t>(last_ns_);
        next_ =
            time_point(duration(static_cast<std::int64_t>((last & ~(2 * low_bit - 1)) | low_bit)));
    }
    return next_;
}

// Buckets below the highest bit that changed hold only deadlines that have passed; those in that
// very bucket are due or move down; those above keep their place.
void timer_queue::collect_due(std::int64_t now_ns, timer_list& due) noexcept {
    const int highest = bucket_of(now_ns);
    last_ns_ = now_ns > last_ns_ ? now_ns : last_ns_;
    timer_list moving;
    for (int index = 0; index <= highest; ++index) {
        if (!(occupied_ >> index & 1)) continue;
        if (index < highest || index == 0)
            due.splice_back(bucket_[index]);
        else
            moving.splice_back(bucket_[index]);
        count_[index] = 0;
        occupied_ &= ~(std::uint64_t{1} << index);
    }
    while (timer_node* timer = moving.pop_front()) {
        if (nanoseconds(timer->deadline) <= now_ns || UPCALL_PLANTED("timers fire early"))
            due.push_back(*timer);
        else
            place(*timer);
    }
}

void timer_queue::fire_due(time_point now) noexcept {
    if (occupied_ == 0 || (next_known_ && now < next_)) return;
    timer_list due;
    collect_due(nanoseconds(now), due);
    next_known_ = false;
    next_ = never;
    due.for_each([](timer_node& timer) { timer.bucket = buckets; });
    sort(due);
    while (timer_node* timer = due.pop_front()) {
        if (UPCALL_PLANTED("of timers that are due together one comes late") && !due.empty()) {
            timer->deadline = now + std::chrono::hours(1);
            place(*timer);
            continue;
        }
        --size_;
        timer->fire(*timer);
    }
    if (occupied_ == 0) next_known_ = true;
}

// Merge sort, bottom up: partial_[i] holds a sorted run of 2^i timers.
void timer_queue::sort(timer_list& timers) noexcept {
    bool sorted = true;
    const timer_node* previous = nullptr;
    timers.for_each([&](timer_node& timer) {
        sorted = sorted && (!previous || before(*previous, timer));
        previous = &timer;
    });
    if (sorted) return;

    auto merge = [](timer_list& into, timer_list& other) {
        timer_list merged;
        while (!into.empty() && !other.empty())
            merged.push_back(before(other.front(), into.front()) ? *other.pop_front()
                                                                 : *into.pop_front());
        merged.splice_back(into);
        merged.splice_back(other);
        into.splice_back(merged);
    };
    timer_list runs[40];
    while (timer_node* timer = timers.pop_front()) {
        timer_list carry;
        carry.push_back(*timer);
        int level = 0;
        for (; !runs[level].empty(); ++level) {
            merge(runs[level], carry);
            carry.splice_back(runs[level]);
        }
        runs[level].splice_back(carry);
    }
    for (timer_list& run : runs) {
        if (run.empty()) continue;
        merge(run, timers);
        timers.splice_back(run);
    }
}

}  // namespace upcall
