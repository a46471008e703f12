#include <upcall/op/task_class.hpp>

#include <algorithm>

#include <upcall/base/fatal.hpp>
#include <upcall/op/ready_queue.hpp>

namespace upcall {

namespace {

// What one handler is charged at least: where the clock stands still, as in simulations, shares are
// then shares of handlers.
constexpr duration least_charge{100};

}  // namespace

namespace detail {

// Short handlers may be followed by long ones again: what the longest took is forgotten slowly.
void clock_interval::learn(std::uint32_t ran, duration took, duration goal) noexcept {
    if (ran == 0) return;
    longest_ = std::max(took / ran, longest_ - longest_ / 8);
    std::int64_t fitting = most;
    if (longest_ > duration::zero()) fitting = std::clamp<std::int64_t>(goal / longest_, 1, most);
    handlers_ = std::min(static_cast<std::uint32_t>(fitting), 2 * handlers_);
}

// When there are too many marks, of two the one stays that counts further, with the time of the
// earlier: what waits may then look older than it is, by an eighth of all that waiting.
void arrival_marks::note(std::uint64_t count, time_point now) noexcept {
    if (size_ > 0 && marks_[size_ - 1].count == count) return;
    if (size_ == marks_.size()) {
        for (std::size_t at = 0; at < size_ / 2; ++at)
            marks_[at] = {marks_[2 * at + 1].count, marks_[2 * at].seen};
        size_ /= 2;
    }
    marks_[size_++] = {count, now};
}

time_point arrival_marks::oldest(std::uint64_t taken) noexcept {
    std::size_t gone = 0;
    while (gone < size_ && marks_[gone].count <= taken) ++gone;
    if (gone > 0) {
        std::copy(marks_.begin() + static_cast<std::ptrdiff_t>(gone),
                  marks_.begin() + static_cast<std::ptrdiff_t>(size_), marks_.begin());
        size_ -= gone;
    }
    return size_ > 0 ? marks_[0].seen : never;
}

}  // namespace detail

task_class::task_class(ready_queue& of, const char* name,
                       const task_class_options& options) noexcept
    : shares_(std::clamp<std::uint32_t>(options.shares, 1, 1'000'000)),
      latency_target_(options.latency_target),
      name_(name),
      of_(&of) {
    of.classes_.push_back(*this);
}

task_class::~task_class() {
    if (!linked()) return;  // the loop's own
    if (users_ > 0 || !empty()) [[unlikely]]
        fatal("the task class \"%s\" ended before the tasks in it", name_);
    if (of_->serving_ == this) of_->serving_ = nullptr;
    unlink();
}

void task_class::charge(std::uint32_t handlers, duration took, duration goal) noexcept {
    const duration least = least_charge * handlers;
    ahead_ += std::max(took, least).count() * 1000 / shares_;
    account_.ran += took;
    account_.resumptions += handlers;
    interval_.learn(handlers, took, goal);
}

// Of those that were there at the last look and are not yet taken, each has waited all of the time;
// what came meanwhile is taken to have come in its middle; and of those that were taken, each
// waited for the ones before it.
void task_class::look(time_point now, duration passed, std::uint32_t taken) noexcept {
    taken_ += taken;
    const auto still = static_cast<std::int64_t>(seen_size_ > taken ? seen_size_ - taken : 0);
    const auto come = static_cast<std::int64_t>(size_) - still;
    const std::int64_t before = taken > 0 ? std::int64_t{taken} - 1 : 0;
    account_.waited += passed * still + passed * (come + before) / 2;
    seen_size_ = size_;
    marks_.note(taken_ + size_, now);
}

bool ready_queue::none_of_others() const noexcept {
    bool none = true;
    classes_.for_each([&](const task_class& one) { none = none && one.empty(); });
    return none;
}

// What came while the kernel was waited for is as old as this look; the loop may have slept.
void ready_queue::begin(time_point now) noexcept {
    const duration passed = now - looked_;
    for_each_class([&](task_class& one) {
        one.account_.waited += passed * static_cast<std::int64_t>(one.seen_size_);
        one.seen_size_ = one.size_;
        one.marks_.note(one.taken_ + one.size_, now);
    });
    looked_ = now;
}

// Every class counts by how far it is ahead of the one that had least, which is therefore at zero.
// One that has nothing ready loses its lead as the others catch up, but gains nothing: it cannot
// fall behind zero.
task_class* ready_queue::pick(time_point now) noexcept {
    task_class* least = nullptr;
    for_each_class([&](task_class& one) {
        if (!one.empty() && (!least || one.ahead_ < least->ahead_)) least = &one;
    });
    if (!least) return nullptr;
    const std::int64_t lead = least->ahead_;
    for_each_class([&](task_class& one) { one.ahead_ -= std::min(one.ahead_, lead); });
    task_class* urgent = out_of_turn_ ? nullptr : most_overdue(now);
    out_of_turn_ = urgent && urgent != least;
    serving_ = out_of_turn_ ? urgent : least;
    if (const time_point oldest = serving_->oldest(); oldest != never)
        serving_->account_.longest_wait =
            std::max<duration>(serving_->account_.longest_wait, now - oldest);
    return serving_;
}

task_class* ready_queue::most_overdue(time_point now) noexcept {
    task_class* most = nullptr;
    duration by{};
    classes_.for_each([&](task_class& one) {
        if (one.latency_target_ <= duration::zero() || one.empty()) return;
        const time_point oldest = one.oldest();
        if (oldest == never || now - oldest - one.latency_target_ <= by) return;
        by = now - oldest - one.latency_target_;
        most = &one;
    });
    return most;
}

void ready_queue::charge(std::uint32_t handlers, time_point now, duration goal) noexcept {
    const duration took = now - looked_;
    looked_ = now;
    if (serving_) serving_->charge(handlers, took, goal);
    for_each_class([&](task_class& one) { one.look(now, took, &one == serving_ ? handlers : 0); });
    serving_ = nullptr;
}

}  // namespace upcall
