// A ring as small as can be, for trying out what io_uring does on this host.
//
// It allocates nothing and calls nothing but the kernel, because it also runs in a child made by a
// bare clone of a process with many threads, where the allocator's locks may be held for ever.
#pragma once

#include <cstddef>
#include <cstdint>

#include <upcall/driver/host_ring.hpp>

#include "driver/uring/abi.hpp"

namespace upcall::host_probe {

/// Leaves the name of the system call about to be made where a parent finds it, should a seccomp
/// filter end this process in it.
void mark_call(ring_facts& report, const char* call) noexcept;

class trial_ring {
  public:
    explicit trial_ring(ring_facts& report) noexcept : report_(report) {}
    trial_ring(const trial_ring&) = delete;
    trial_ring& operator=(const trial_ring&) = delete;
    ~trial_ring() { close(); }

    /// Creates and maps a ring. 0 or -errno.
    int open(std::uint32_t entries, std::uint32_t flags) noexcept;
    void close() noexcept;

    /// register with this ring's descriptor.
    int control(uring_abi::register_op what, void* argument, std::uint32_t count) noexcept;

    /// The next free submission entry, zeroed. There is always one: trials submit a few at a time.
    uring_abi::sqe& next() noexcept;
    /// Submits what `next` handed out and waits, a few seconds at most, until `completions` are
    /// there. 0, or -errno; -ETIME if they did not come.
    int enter(std::uint32_t completions) noexcept;
    /// Takes one completion, if there is one.
    bool take(uring_abi::cqe& out) noexcept;

    int fd() const noexcept { return fd_; }
    std::uint32_t features() const noexcept { return parameters_.features; }
    std::uint32_t entries() const noexcept { return parameters_.sq_entries; }
    bool is_mapped() const noexcept { return rings_ != nullptr; }
    /// Enters by an index of the registered rings instead of the descriptor; -1: not any more.
    void use_registered(int index) noexcept { registered_index_ = index; }

  private:
    int map() noexcept;
    std::uint32_t* word(std::uint32_t offset) const noexcept;
    std::uint32_t ready() const noexcept;

    ring_facts& report_;
    int fd_ = -1;
    int registered_index_ = -1;
    uring_abi::params parameters_{};
    std::byte* rings_ = nullptr;
    std::size_t rings_size_ = 0;
    uring_abi::sqe* entries_ = nullptr;
    std::uint32_t pending_ = 0;
};

}  // namespace upcall::host_probe
