// The driver of one loop on the simulated kernel.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include <upcall/driver/driver.hpp>

#include "machine.hpp"

namespace upcall::sim {

/// What a handle is here: which object it names, and what is in flight on it.
struct sim_handle : handle_record {
    std::shared_ptr<object> named;
    list<request, on_handle> requests;
};

class sim_driver final : public driver {
  public:
    sim_driver(node& on, const driver_environment& lent);
    ~sim_driver() override;

    std::string_view name() const noexcept override { return "sim"; }

    void cancel(io_operation& op) noexcept override;
    void poll(time_point deadline) noexcept override;
    void wake() noexcept override;
    time_point now() noexcept override { return over_ ? now_after_ : kernel_->now(); }
    std::uint64_t random() noexcept override { return kernel_->choice.any(); }
    void buffers_refilled() noexcept override { refilled_ = true; }

    result<handle> open_socket(address_family family, socket_type type) noexcept override;
    result<std::pair<handle, handle>> open_pair(socket_type type) noexcept override;
    result<std::pair<handle, handle>> open_pipe() noexcept override;
    result<void> bind(handle_record& target, const address& where) noexcept override;
    result<void> listen(handle_record& target, int backlog) noexcept override;
    result<address> local_address(handle_record& target) noexcept override;
    result<address> peer_address(handle_record& target) noexcept override;
    result<void> set_option(handle_record& target, socket_option which,
                            std::int64_t value) noexcept override;
    result<std::int64_t> get_option(handle_record& target, socket_option which) noexcept override;
    result<void> shut_down(handle_record& target, shut direction) noexcept override;
    result<handle> adopt(native_handle native, handle_kind kind) noexcept override;
    result<native_handle> release(handle& from) noexcept override;
    descriptor own(native_handle native) noexcept override;

    // ---- for the kernel ---------------------------------------------------------------------

    /// An answer is there; the next `poll` of this driver hands it over.
    void post(answer arrived);
    /// `waiting` wants a buffer and the pool has none.
    void starves(object& waiting);
    /// Until when it sleeps, unless something happens; never when it is not sleeping.
    bool is_asleep() const noexcept;
    /// And nobody has made anything ready beside it.
    bool sleeps() const noexcept { return is_asleep() && ready().empty(); }
    time_point sleeps_until() const noexcept { return deadline_; }
    void deadline_passed() noexcept { asleep_ = false; }
    node& here() const noexcept { return *here_; }
    /// A buffer that an answer carries is on its way to the program; it got there.
    void carries(std::byte* leased) { carried_.insert(leased); }
    /// The program is over: everything in flight ends with `cancelled`, at once, as does all that
    /// its remains still start. The driver no longer has a part in the world; its time is its own.
    void lose_program();
    bool is_over() const noexcept { return over_; }
    list<request, on_driver>& in_flight() noexcept { return in_flight_; }

  protected:
    bool submit(io_operation& op) noexcept override;
    void cancel_all(handle_record& target) noexcept override;
    std::int64_t destroy(handle_record& target) noexcept override;

  private:
    void poll_until(time_point deadline);
    bool has_news() noexcept;
    void feed_starving();
    bool reap();
    void reap_one(answer arrived);
    static void retire(request& done) noexcept;
    void note(const request& made, std::int64_t result, bool last) noexcept;
    handle wrap(native_handle native, std::shared_ptr<object> named, handle_kind kind);
    result<std::pair<handle, handle>> wrap_pair(std::shared_ptr<object> first,
                                                std::shared_ptr<object> second);

    void poll_after(time_point deadline);

    node* here_;
    machine* kernel_;
    bool over_ = false;
    time_point now_after_{};
    list<request, on_driver> in_flight_;
    std::deque<answer> arrived_;
    std::set<std::byte*> carried_;
    std::map<std::uint64_t, std::weak_ptr<object>> starving_;
    bool refilled_ = false;
    bool asleep_ = false;
    time_point deadline_ = never;
    time_point last_turn_{};
    std::atomic<bool> woken_{false};
};

}  // namespace upcall::sim
