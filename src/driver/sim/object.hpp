// Something that a descriptor names: an end of a stream, a listener, an open file.
#pragma once

#include <cstdint>
#include <memory>

#include <upcall/driver/driver.hpp>

#include "event_queue.hpp"
#include "request.hpp"

namespace upcall::sim {

class machine;
class node;

class object : public event_target, public std::enable_shared_from_this<object> {
  public:
    explicit object(node& on);

    /// Takes a request on: answers it, or keeps it until it can.
    virtual void start(request& made) = 0;
    /// Ends a request that is waiting here, if that is still possible.
    virtual void withdraw(request& waiting) = 0;
    /// The same for requests that ask for readiness.
    void start_poll(request& made);
    void withdraw_poll(request& waiting);
    /// The last descriptor is gone; no request of a handle is left.
    virtual void close() = 0;
    /// Its computer lost power; nobody is told. Requests of handles were given up before.
    virtual void vanish() {}
    /// The program that asked is gone: `made` is answered elsewhere, and forgotten here.
    virtual void forget(request& made);
    /// What was held back on its way here from `from` may come in, or one may learn that `from`
    /// lost its memory meanwhile.
    virtual void hear_again(const node& from) { static_cast<void>(from); }
    /// `from` has fallen silent.
    virtual void hear_no_more(const node& from) { static_cast<void>(from); }
    /// Which of ready_to_read and ready_to_write hold.
    virtual std::uint32_t readiness() const = 0;
    /// Its pool has buffers again.
    virtual void refilled() {}

    void fire(std::uint32_t, std::uint64_t) override {}

    virtual result<void> bind(const address& where);
    virtual result<void> shut_down(shut direction);
    virtual result<address> local_address() const;
    virtual result<address> peer_address() const;
    virtual result<void> set_option(socket_option which, std::int64_t value);
    virtual result<std::int64_t> get_option(socket_option which);

    std::uint64_t number() const noexcept { return number_; }

  protected:
    /// Looks whether somebody waits for what has become ready.
    void notify_pollers();
    machine& kernel() const noexcept { return *kernel_; }
    node& here() const noexcept { return *here_; }

  private:
    node* here_;
    machine* kernel_;
    std::uint64_t number_;
    request_list pollers_;
    std::shared_ptr<lane> poll_lane_;
};

inline std::unexpected<std::error_code> errno_failure(int code) noexcept {
    return failure({code, std::generic_category()});
}

}  // namespace upcall::sim
