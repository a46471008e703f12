// A socket that accepts: connections that are made wait here for somebody to take them.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "object.hpp"
#include "stream_end.hpp"

namespace upcall::sim {

class listener final : public object {
  public:
    listener(node& on, const address& local, int backlog);

    /// Takes a new connection's server end, or says that there is no room.
    bool offer(std::shared_ptr<stream_end> made);
    void set_backlog(int backlog) noexcept;

    void start(request& made) override;
    void withdraw(request& waiting) override;
    void close() override;
    void vanish() override;
    void hear_again(const node& from) override;
    void hear_no_more(const node& from) override;
    std::uint32_t readiness() const override;

    result<void> bind(const address& where) override;
    result<void> shut_down(shut direction) override;
    result<address> local_address() const override { return local_; }
    result<address> peer_address() const override;
    result<void> set_option(socket_option which, std::int64_t value) override;
    result<std::int64_t> get_option(socket_option which) override;

  private:
    void accept_on();
    void accept_one(request& acceptor);

    address local_;
    std::size_t backlog_ = 1;
    std::deque<std::shared_ptr<stream_end>> waiting_;
    request_list acceptors_;
    std::shared_ptr<lane> accept_lane_;
    std::map<socket_option, std::int64_t> settings_;
};

}  // namespace upcall::sim
