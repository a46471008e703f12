#include "driver/uring/ring.hpp"

#include <sys/mman.h>

#include <algorithm>

namespace upcall {
namespace {

using namespace uring_abi;

constexpr std::uint32_t always = setup::r_disabled | setup::clamp | setup::cqsize;

// From the best set of flags down to the least; a kernel refuses one it does not know with EINVAL.
constexpr std::uint32_t ladder[] = {
    setup::single_issuer | setup::defer_taskrun | setup::taskrun_flag | setup::submit_all |
        setup::no_sqarray,
    setup::single_issuer | setup::defer_taskrun | setup::taskrun_flag | setup::submit_all,
    setup::single_issuer | setup::coop_taskrun | setup::taskrun_flag | setup::submit_all,
    setup::coop_taskrun | setup::taskrun_flag | setup::submit_all,
    setup::submit_all,
    0,
};

// What is left of `wanted` when flags that depend on a forbidden one go with it.
std::uint32_t permitted(std::uint32_t wanted, std::uint32_t allowed) noexcept {
    std::uint32_t flags = wanted & allowed;
    if (!(flags & setup::single_issuer)) flags &= ~setup::defer_taskrun;
    if (!(flags & setup::defer_taskrun) && (wanted & setup::defer_taskrun))
        flags |= setup::coop_taskrun & allowed;
    if (!(flags & (setup::defer_taskrun | setup::coop_taskrun))) flags &= ~setup::taskrun_flag;
    return flags;
}

template <class T>
T* at(void* base, std::uint32_t offset) noexcept {
    return reinterpret_cast<T*>(static_cast<std::byte*>(base) + offset);
}

}  // namespace

int ring::open(const ring_shape& shape) noexcept {
    use_registered_ring_ = shape.registered_ring;
    use_no_iowait_ = shape.no_iowait;
    int error = -EINVAL;
    for (const std::uint32_t wanted : ladder) {
        params asked{};
        asked.flags = always | permitted(wanted, shape.allowed);
        asked.cq_entries = shape.cq_entries;
        error = sys_setup(shape.sq_entries, &asked);
        if (error == -EINVAL) continue;
        if (error < 0) return error;
        fd_ = error;
        setup_ = asked.flags;
        features_ = asked.features;
        error = map(asked);
        if (error < 0) close();
        return error;
    }
    return error;
}

int ring::map(const params& shape) noexcept {
    if (!(features_ & feature::single_mmap) || !(features_ & feature::nodrop)) return -ENOSYS;
    rings_size_ =
        std::max<std::size_t>(shape.sq_off.array + shape.sq_entries * sizeof(std::uint32_t),
                              shape.cq_off.cqes + shape.cq_entries * sizeof(cqe));
    rings_ = ::mmap(nullptr, rings_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                    map_offset::sq_ring);
    if (rings_ == MAP_FAILED) {
        rings_ = nullptr;
        return -errno;
    }
    entries_size_ = shape.sq_entries * sizeof(sqe);
    void* entries = ::mmap(nullptr, entries_size_, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_POPULATE, fd_, map_offset::sqes);
    if (entries == MAP_FAILED) return -errno;
    entries_ = static_cast<sqe*>(entries);
    // A forked child has no business in these rings: their indices would race with ours.
    ::madvise(rings_, rings_size_, MADV_DONTFORK);
    ::madvise(entries_, entries_size_, MADV_DONTFORK);

    sq_head_ = at<std::uint32_t>(rings_, shape.sq_off.head);
    sq_tail_ = at<std::uint32_t>(rings_, shape.sq_off.tail);
    sq_flags_ = at<std::uint32_t>(rings_, shape.sq_off.flags);
    sq_entries_ = shape.sq_entries;
    sq_mask_ = *at<std::uint32_t>(rings_, shape.sq_off.ring_mask);
    tail_ = *sq_tail_;
    if (!(setup_ & setup::no_sqarray)) {
        auto* index = at<std::uint32_t>(rings_, shape.sq_off.array);
        for (std::uint32_t i = 0; i < sq_entries_; ++i) index[i] = i;
    }
    cq_head_ = at<std::uint32_t>(rings_, shape.cq_off.head);
    cq_tail_ = at<std::uint32_t>(rings_, shape.cq_off.tail);
    cq_mask_ = *at<std::uint32_t>(rings_, shape.cq_off.ring_mask);
    completions_ = at<cqe>(rings_, shape.cq_off.cqes);
    return 0;
}

int ring::enable() noexcept {
    if (const int error = control(register_op::enable_rings, nullptr, 0); error < 0) return error;
    enter_fd_ = fd_;
    enter_flags_ = 0;
    if (use_no_iowait_ && (features_ & feature::no_iowait)) enter_flags_ |= enter::no_iowait;
    if (use_registered_ring_) {
        rsrc_update mine{};
        mine.offset = ~std::uint32_t{0};  // any free index
        mine.data = static_cast<std::uint64_t>(fd_);
        if (control(register_op::ring_fds, &mine, 1) == 1) {
            enter_fd_ = static_cast<int>(mine.offset);
            enter_flags_ |= enter::registered_ring;
        }
    }
    return 0;
}

void ring::close() noexcept {
    if (enter_flags_ & enter::registered_ring) {
        rsrc_update mine{};
        mine.offset = static_cast<std::uint32_t>(enter_fd_);
        control(register_op::unregister_ring_fds, &mine, 1);
        enter_flags_ = 0;
    }
    if (entries_) ::munmap(entries_, entries_size_);
    if (rings_) ::munmap(rings_, rings_size_);
    if (fd_ >= 0) ::close(fd_);
    entries_ = nullptr;
    rings_ = nullptr;
    fd_ = -1;
}

int ring::enter(std::uint32_t wait_for, const kernel_timespec* timeout) noexcept {
    publish();
    if (!timeout) return sys_enter(enter_fd_, pending(), wait_for, enter_flags_ | enter::getevents);
    getevents_arg argument{};
    argument.ts = reinterpret_cast<std::uint64_t>(timeout);
    return sys_enter(enter_fd_, pending(), wait_for,
                     enter_flags_ | enter::getevents | enter::ext_arg, &argument, sizeof argument);
}

int ring::flush() noexcept {
    publish();
    return sys_enter(enter_fd_, pending(), 0, enter_flags_ & enter::registered_ring);
}

bool ring::has_work() const noexcept {
    const std::uint32_t flags = std::atomic_ref(*sq_flags_).load(std::memory_order_relaxed);
    return pending() != 0 || (flags & (sq_ring_flag::taskrun | sq_ring_flag::cq_overflow));
}

bool ring::wants_enter() const noexcept { return has_work() || !(setup_ & setup::taskrun_flag); }

}  // namespace upcall
