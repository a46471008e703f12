// The pinned half of a socket that keeps message boundaries: who waits to receive, who waits to
// send. Each waiter is an operation of its own; the first of a direction is in the driver's hands,
// the others wait behind it, so messages go out, and come in, in the order that was asked for.
#pragma once

#include <cstdint>

#include <upcall/driver/io_operation.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/os/socket_file.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

class message_core;

/// One who waits on a message socket; `kind` tells the direction.
struct message_waiter : io_operation {
    message_core* core = nullptr;
    message_waiter* next_waiting = nullptr;
    message content;
    io_slice whole;     // the one piece that content.slices points to
    bool ends = false;  // a message of no bytes is the end of a connection

    bool launch(context& where) noexcept;
    /// The loop runs its completion: the next one has its turn.
    bool settle() noexcept;

    /// Why there is no value, if so.
    std::error_code error() const noexcept;
};

class message_core final : recycled {
  public:
    using recycled::operator new;
    using recycled::operator delete;

    /// Operations that may wait per direction before further ones are refused with queue_full.
    static constexpr std::uint16_t waiting_max = 64;

    /// `connected` sockets, seqpacket that is, end; a message of no bytes says so.
    message_core(loop& home, handle&& socket, bool connected) noexcept
        : home_(&home), socket_(std::move(socket)), connected_(connected) {}
    message_core(const message_core&) = delete;
    message_core& operator=(const message_core&) = delete;

    /// The owner lets go: closes the handle, ends the waiters with `closed`. The core frees itself
    /// when the last of them is done.
    void abandon() noexcept;

    loop& home() const noexcept { return *home_; }
    handle& socket() noexcept { return socket_; }
    handle_record& record() noexcept { return *socket_.record(); }
    bool idle() const noexcept { return receiving_.waiting.empty() && sending_.waiting.empty(); }

    /// What the socket was bound to in a directory, to be removed when it is closed.
    void keep_file(socket_file bound) noexcept { bound_file_ = std::move(bound); }

  private:
    friend struct message_waiter;

    struct direction {
        queue<message_waiter, &message_waiter::next_waiting> waiting;
        std::uint16_t count = 0;
    };

    direction& direction_of(const message_waiter& waiter) noexcept {
        return waiter.kind == op_kind::receive_message ? receiving_ : sending_;
    }

    bool start(message_waiter& waiter) noexcept;
    void leave(message_waiter& waiter) noexcept;
    void start_next(direction& in) noexcept;
    static void cancel_queued(operation& op) noexcept;

    void hold() noexcept { ++references_; }
    void drop() noexcept {
        if (--references_ == 0) delete this;
    }
    ~message_core() = default;

    loop* home_;
    handle socket_;
    std::uint32_t references_ = 1;
    bool abandoned_ = false;
    const bool connected_;
    direction receiving_;
    direction sending_;
    socket_file bound_file_;
};

}  // namespace upcall::detail
