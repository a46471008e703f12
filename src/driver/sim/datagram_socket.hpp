// A UDP socket: datagrams come whole or not at all.
//
// What it sends is on its way at once; on its way a datagram may be lost, doubled or overtaken, as
// drawn. What arrives waits for a reader until there is no room, and is lost then. A port where
// nobody is answers, and a connected socket is told of it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "object.hpp"

namespace upcall::sim {

class datagram_socket final : public object {
  public:
    datagram_socket(node& on, address_family family);

    void start(request& made) override;
    void withdraw(request& waiting) override;
    void close() override;
    void vanish() override { closed_ = true; }
    std::uint32_t readiness() const override;

    result<void> bind(const address& where) override;
    result<void> shut_down(shut direction) override;
    result<address> local_address() const override { return local_; }
    result<address> peer_address() const override;
    result<void> set_option(socket_option which, std::int64_t value) override;
    result<std::int64_t> get_option(socket_option which) override;

    /// A datagram came.
    void take(const address& from, std::vector<std::byte> bytes);
    /// Nobody was where it sent to.
    void refused(const address& where);

  private:
    struct parcel {
        address from;
        std::vector<std::byte> bytes;
    };

    void start_connect(request& made);
    void start_receive(request& made);
    void start_send(request& made);
    std::int64_t send(message& what);
    void launch(const address& to, const std::vector<std::byte>& bytes);
    void receive_on();
    static std::int64_t hand_over(message& into, const parcel& what);
    std::int64_t bind_anywhere();

    address_family family_;
    address local_;
    address peer_;
    bool bound_ = false;
    bool closed_ = false;
    bool read_shut_ = false;
    bool write_shut_ = false;
    int pending_error_ = 0;
    std::map<socket_option, std::int64_t> settings_;
    time_point last_arrival_{};
    std::deque<parcel> arrived_;
    std::size_t arrived_bytes_ = 0;
    request_list receivers_;
    std::shared_ptr<lane> read_lane_;
    std::shared_ptr<lane> write_lane_;
};

}  // namespace upcall::sim
