// A handle: the owner of something a driver can work on.
//
// What it names (a descriptor, a Windows handle, a simulated socket) is the driver's business; raw
// descriptors leave it only through `release`. Closing ends the operations that are still in
// flight and gives the descriptor back to the kernel only after the last of them has completed, so
// no operation can ever reach a stranger behind a reused number.
#pragma once

#include <cstdint>
#include <utility>

#include <upcall/base/recycler.hpp>
#include <upcall/base/result.hpp>
#include <upcall/op/operation.hpp>

namespace upcall {

class driver;
namespace detail {
class file_queue;
}

/// What the kernel calls it: a descriptor, a SOCKET or HANDLE, a number in the simulator.
using native_handle = std::intptr_t;
inline constexpr native_handle no_native_handle = -1;

/// What can be done with a handle.
enum class handle_kind : std::uint8_t {
    stream,    // connected bytes: TCP, Unix stream, pipe, terminal
    listener,  // accepts
    datagram,  // keeps message boundaries
    file,      // has positions
    foreign,   // somebody else's descriptor, watched for readiness only and never closed
};

/// The part of a handle that stays in one place; drivers derive theirs. Lives on one loop's thread.
struct handle_record : recycled {
    /// Whose it is, from beginning to end.
    driver* via = nullptr;
    /// What the driver's kernel knows it by; its business alone.
    native_handle native = no_native_handle;
    /// Operations submitted to the driver for it and not completed; keeps the record alive.
    std::uint32_t in_flight = 0;
    handle_kind kind = handle_kind::stream;
    /// Closed by its owner; waits for `in_flight` to reach zero.
    bool closing = false;
    /// An operation was interrupted with unknown progress: everything but closing is refused.
    bool broken = false;
    /// Who waits for the close to be done, with the raw outcome; may be null.
    void (*on_closed)(void* argument, std::int64_t outcome) noexcept = nullptr;
    void* on_closed_argument = nullptr;
    /// Files: what transfers go through before a driver sees them, or null. Not the driver's.
    detail::file_queue* transfers = nullptr;
};

/// Owns a record, and closes it when destroyed. Move-only; for the thread of the driver's loop.
/// Empty when default-made, moved from, closed or detached.
class handle {
  public:
    handle() = default;
    /// Takes a record over that a driver has made.
    explicit handle(handle_record& record) noexcept : record_(&record) {}
    handle(handle&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
    handle& operator=(handle&& other) noexcept {
        if (this != &other) {
            close();
            record_ = std::exchange(other.record_, nullptr);
        }
        return *this;
    }
    ~handle() { close(); }

    explicit operator bool() const noexcept { return record_ != nullptr; }
    /// What operations are aimed at; null when empty. Valid until this is closed.
    handle_record* record() const noexcept { return record_; }
    /// The driver that it was opened on. Not of an empty one.
    driver& via() const noexcept { return *record_->via; }

    /// Ends the operations in flight, then closes. Returns at once; nothing to wait for.
    void close() noexcept;

    /// Gives up ownership without closing; the caller now owns the record.
    handle_record* detach() noexcept { return std::exchange(record_, nullptr); }

  private:
    handle_record* record_ = nullptr;
};

}  // namespace upcall
