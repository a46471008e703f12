// One readiness interface of a kernel: which of many descriptors would not block now.
//
// Small on purpose: what operations wait, and what is done about an event, is the one adapter's
// business (readiness_driver.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <upcall/base/clock.hpp>
#include <upcall/driver/io_operation.hpp>

#include "driver/posix/wake_signal.hpp"

namespace upcall {

/// What a poller knows of one descriptor; part of the record that wants to know.
struct watch {
    int fd = -1;
    /// Comes back with every event. Never used twice, so events that are too late are recognised.
    std::uint64_t key = 0;
    /// Somebody else's: the settings of the open file are not ours to change.
    bool borrowed = false;
    bool is_socket = false;
    /// The poller's own notes.
    bool by_signal = false;
    std::uint32_t position = 0;
    std::uint32_t interest = 0;
    std::uint32_t known = 0;
};

/// Beside ready_to_read and ready_to_write: more happened than data coming in. A short read does
/// not mean that nothing is left.
inline constexpr std::uint32_t ready_irregular = 4;

struct poll_event {
    std::uint64_t key = 0;
    std::uint32_t ready = 0;
    /// An error of the socket's that is told here and, as it was taken by asking for it, by no call
    /// any more; 0: none.
    int taken_error = 0;
};

/// All calls from the loop's thread, except `wake`.
class poller {
  public:
    poller() = default;
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;
    virtual ~poller() = default;

    /// Creates what it needs: 0 or a raw error. Once, before anything else.
    virtual std::int64_t open() noexcept = 0;

    virtual std::string_view name() const noexcept = 0;

    /// True: events tell that something has changed, for every descriptor since `add`, whatever
    /// `arm` asked for. False: events tell what is so, once for each wait, of what was armed.
    virtual bool edge_triggered() const noexcept = 0;

    /// Whether descriptors with this number can be watched at all.
    virtual bool can_watch(int fd) const noexcept {
        static_cast<void>(fd);
        return true;
    }

    /// Begins to watch; `added` stays where it is until `remove`. 0 or a negated errno: EPERM, this
    /// kind of descriptor is always ready; EEXIST, it is watched already; EMFILE, see `can_watch`.
    virtual std::int64_t add(watch& added) noexcept = 0;

    /// Sets what is waited for: ready_to_read, ready_to_write, or nothing. On an edge-triggered
    /// poller it renews the watch of a descriptor that may have been closed and opened again by
    /// others, and reports what is so now as an event. 0 or a negated errno: EBADF; EEXIST, the
    /// number is another watch's by now.
    virtual std::int64_t arm(watch& armed, std::uint32_t interest) noexcept = 0;

    virtual void remove(watch& removed) noexcept = 0;

    /// Waits until something is ready, `wake` was called or `deadline` has passed; may be early.
    /// What it returns is valid until the next call.
    virtual std::span<const poll_event> wait(time_point deadline) noexcept = 0;

    /// A descriptor that is readable while a `wait` would bring something; -1: there is none.
    virtual int descriptor() const noexcept { return -1; }

    /// Whether that descriptor does not know all yet: some of what was armed is handed over by the
    /// next `wait`.
    virtual bool has_changes() const noexcept { return false; }

    /// Ends the current or the next `wait`. Any thread; coalesced.
    virtual void wake() noexcept { wake_.raise(); }

  protected:
    wake_signal wake_;
};

}  // namespace upcall
