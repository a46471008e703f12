#include "driver/host/linux/trial_ring.hpp"

#if defined(__linux__)

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace upcall::host_probe {
namespace {

constexpr std::int64_t patience_seconds = 1;
// A signal may end a wait unseen when something was submitted as well, so one wait is not enough.
constexpr int rounds_max = 4;

void* map_ring(int fd, std::size_t size, std::uint64_t offset) noexcept {
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                            static_cast<off_t>(offset));
    return at == MAP_FAILED ? nullptr : at;
}

std::uint32_t load_acquire(std::uint32_t* word) noexcept {
    return std::atomic_ref(*word).load(std::memory_order_acquire);
}

void store_release(std::uint32_t* word, std::uint32_t value) noexcept {
    std::atomic_ref(*word).store(value, std::memory_order_release);
}

}  // namespace

void mark_call(ring_facts& report, const char* call) noexcept {
    report.killed_in.fill('\0');
    for (std::size_t i = 0; call[i] != '\0' && i + 1 < report.killed_in.size(); ++i)
        report.killed_in[i] = call[i];
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

int trial_ring::open(std::uint32_t entries, std::uint32_t flags) noexcept {
    parameters_ = {};
    parameters_.flags = flags;
    if (flags & uring_abi::setup::cqsize) parameters_.cq_entries = entries * 4;
    mark_call(report_, "io_uring_setup");
    fd_ = uring_abi::sys_setup(entries, &parameters_);
    if (fd_ < 0) return fd_;
    // Before 5.4 the rings need two mappings; such a kernel is too old in any case.
    if (!(parameters_.features & uring_abi::feature::single_mmap)) return 0;
    if (const int code = map(); code < 0) {
        close();
        return code;
    }
    return 0;
}

int trial_ring::map() noexcept {
    rings_size_ =
        std::max(parameters_.sq_off.array + parameters_.sq_entries * sizeof(std::uint32_t),
                 parameters_.cq_off.cqes + parameters_.cq_entries * sizeof(uring_abi::cqe));
    rings_ = static_cast<std::byte*>(map_ring(fd_, rings_size_, uring_abi::map_offset::sq_ring));
    if (!rings_) return -errno;
    entries_ = static_cast<uring_abi::sqe*>(map_ring(
        fd_, parameters_.sq_entries * sizeof(uring_abi::sqe), uring_abi::map_offset::sqes));
    return entries_ ? 0 : -errno;
}

void trial_ring::close() noexcept {
    if (entries_) ::munmap(entries_, parameters_.sq_entries * sizeof(uring_abi::sqe));
    if (rings_) ::munmap(rings_, rings_size_);
    if (fd_ >= 0) ::close(fd_);
    entries_ = nullptr;
    rings_ = nullptr;
    fd_ = -1;
    pending_ = 0;
    registered_index_ = -1;
}

int trial_ring::control(uring_abi::register_op what, void* argument, std::uint32_t count) noexcept {
    mark_call(report_, "io_uring_register");
    return uring_abi::sys_register(fd_, what, argument, count);
}

std::uint32_t* trial_ring::word(std::uint32_t offset) const noexcept {
    return reinterpret_cast<std::uint32_t*>(rings_ + offset);
}

uring_abi::sqe& trial_ring::next() noexcept {
    const std::uint32_t position = *word(parameters_.sq_off.tail) + pending_;
    const std::uint32_t index = position & (parameters_.sq_entries - 1);
    if (!(parameters_.flags & uring_abi::setup::no_sqarray))
        word(parameters_.sq_off.array)[index] = index;
    ++pending_;
    entries_[index] = {};
    return entries_[index];
}

std::uint32_t trial_ring::ready() const noexcept {
    return load_acquire(word(parameters_.cq_off.tail)) - *word(parameters_.cq_off.head);
}

int trial_ring::enter(std::uint32_t completions) noexcept {
    namespace flag = uring_abi::enter;
    uring_abi::kernel_timespec patience{patience_seconds, 0};
    uring_abi::getevents_arg wait{};
    wait.ts = reinterpret_cast<std::uint64_t>(&patience);

    std::uint32_t* const tail = word(parameters_.sq_off.tail);
    store_release(tail, *tail + pending_);
    std::uint32_t flags = flag::getevents | flag::ext_arg;
    if (registered_index_ >= 0) flags |= flag::registered_ring;
    const int target = registered_index_ >= 0 ? registered_index_ : fd_;
    for (int round = 0; round < rounds_max; ++round) {
        mark_call(report_, "io_uring_enter");
        const int code =
            uring_abi::sys_enter(target, pending_, completions, flags, &wait, sizeof wait);
        if (code == -EINTR) continue;
        if (code < 0) return code;
        pending_ -= std::min(pending_, static_cast<std::uint32_t>(code));
        if (pending_ == 0 && ready() >= completions) return 0;
    }
    return -ETIME;
}

bool trial_ring::take(uring_abi::cqe& out) noexcept {
    if (ready() == 0) return false;
    std::uint32_t* const head = word(parameters_.cq_off.head);
    const auto* const completions =
        reinterpret_cast<const uring_abi::cqe*>(rings_ + parameters_.cq_off.cqes);
    out = completions[*head & (parameters_.cq_entries - 1)];
    store_release(head, *head + 1);
    return true;
}

}  // namespace upcall::host_probe

#endif
