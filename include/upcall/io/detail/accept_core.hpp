// The pinned half of a listener: who waits to accept, what was accepted ahead, and the operation
// that accepts. Bounded: past `accepted_max` connections nobody asked for, or the first where none
// may be accepted ahead, accepting pauses and further peers wait in the kernel's own queue.
#pragma once

#include <cstdint>
#include <vector>

#include <upcall/loop/loop.hpp>
#include <upcall/os/socket_file.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

class accept_core;

struct accept_waiter : operation {
    accept_core* core = nullptr;
    accept_waiter* next_waiting = nullptr;
    std::int64_t outcome = -1;  // a native handle, or a raw error
    bool finished = false;
    bool launching = false;

    bool settle() noexcept { return true; }
};

class accept_core final : recycled {
  public:
    using recycled::operator new;
    using recycled::operator delete;

    static constexpr std::size_t accepted_max = 64;

    accept_core(loop& home, handle&& file) noexcept;
    accept_core(const accept_core&) = delete;
    accept_core& operator=(const accept_core&) = delete;

    /// The owner lets go: closes, ends the waiters with `closed`, resets peers nobody asked for.
    void abandon() noexcept;

    bool launch(accept_waiter& waiter, context& where) noexcept;

    /// Whether the kernel may accept before anybody asks.
    void allow_ahead(bool on) noexcept;

    /// Nothing is in flight, and nothing was accepted that nobody asked for.
    bool idle() const noexcept {
        return waiting_.empty() && accepting_.state == op_state::idle && accepted_.empty();
    }

    /// Closes what was accepted on `home` and nobody took: its connection is reset or ended.
    static void refuse(loop& home, native_handle peer) noexcept;

    /// What the socket was bound to in a directory, to be removed when it is closed.
    void keep_file(socket_file bound) noexcept { bound_file_ = std::move(bound); }

    loop& home() const noexcept { return *home_; }
    handle& file() noexcept { return file_; }
    handle_record& record() noexcept { return *file_.record(); }

  private:
    struct accept_source final : io_source {
        accept_core* core = nullptr;
    };
    struct retry_timer final : timer_node {
        accept_core* core = nullptr;
    };

    void pump() noexcept;
    void arm() noexcept;
    void try_again_later() noexcept;
    native_handle take_accepted() noexcept;
    void accepting_ended() noexcept;
    void accepted(std::int64_t value) noexcept;
    void finish(accept_waiter& waiter, std::int64_t outcome) noexcept;
    void refuse_accepted() noexcept;
    static void cancel_waiter(operation& op) noexcept;

    void hold() noexcept { ++references_; }
    void drop() noexcept {
        if (--references_ == 0) delete this;
    }
    ~accept_core() = default;

    loop* home_;
    handle file_;
    std::uint32_t references_ = 1;
    bool abandoned_ = false;
    bool pumping_ = false;
    bool ahead_ = true;
    std::int64_t ended_ = 0;
    queue<accept_waiter, &accept_waiter::next_waiting> waiting_;
    accept_source accepting_;
    retry_timer retry_;
    std::vector<native_handle> accepted_;
    std::size_t accepted_first_ = 0;
    socket_file bound_file_;
};

/// Accepts; whoever derives makes its own kind of connection of the handle.
class accept_operation : public accept_waiter {
  public:
    struct arguments {
        accept_core* core;
        bool idle = true;
    };
    explicit accept_operation(arguments&& given) noexcept {
        core = given.core;
        ends_on_stop = given.idle;
    }
    /// Resets a peer that nobody took.
    ~accept_operation();
    bool launch(context& where) noexcept {
        outcome = raw_error(errc::closed);
        return !core || core->launch(*this, where);
    }

  protected:
    upcall::result<handle> take_handle();
};

}  // namespace upcall::detail
