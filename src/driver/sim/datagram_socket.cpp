#include "datagram_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "machine.hpp"

namespace upcall::sim {
namespace {

constexpr std::size_t datagram_max = 65507;
constexpr std::size_t room_at_first = 212'992;  // net.core.rmem_default

/// A datagram on its way, or the answer that nobody was there.
class flight final : public event_target, public std::enable_shared_from_this<flight> {
  public:
    enum : std::uint32_t { event_arrival, event_refusal };

    flight(node& from, address sender, address to, std::vector<std::byte> bytes,
           std::weak_ptr<object> asker)
        : from_(&from),
          sender_(std::move(sender)),
          to_(std::move(to)),
          bytes_(std::move(bytes)),
          asker_(std::move(asker)) {}

    void fire(std::uint32_t what, std::uint64_t) override {
        if (what == event_refusal) {
            if (const auto asker = asker_.lock())
                static_cast<datagram_socket&>(*asker).refused(to_);
            return;
        }
        machine& kernel = from_->kernel();
        node* const there = kernel.owner_of(*from_, to_);
        if (!there) return;
        if (there != from_ && !kernel.reaches(*from_, *there)) return;
        if (const auto found = there->datagram_names.find(to_, kernel.choice))
            return static_cast<datagram_socket&>(*found).take(sender_, bytes_);
        if (there == from_ || kernel.reaches(*there, *from_))
            kernel.plan_after(kernel.choice.within(kernel.options.network_delay),
                              shared_from_this(), event_refusal);
    }

  private:
    node* from_;
    address sender_;
    address to_;
    std::vector<std::byte> bytes_;
    std::weak_ptr<object> asker_;
};

std::span<const io_slice> slices_of(const message& what) noexcept {
    return {what.slices, what.slice_count};
}

std::size_t size_of(const message& what) noexcept {
    std::size_t size = 0;
    for (const io_slice& slice : slices_of(what)) size += slice.size;
    return size;
}

}  // namespace

datagram_socket::datagram_socket(node& on, address_family family)
    : object(on),
      family_(family),
      local_(unnamed(family)),
      read_lane_(std::make_shared<lane>(on.kernel())),
      write_lane_(std::make_shared<lane>(on.kernel())) {}

void datagram_socket::start(request& made) {
    switch (made.op->kind) {
        case op_kind::connect:
            return start_connect(made);
        case op_kind::receive_message:
            return start_receive(made);
        case op_kind::send_message:
            return start_send(made);
        default:
            return read_lane_->send(made, raw_error(errc::unsupported));
    }
}

void datagram_socket::withdraw(request& waiting) {
    waiting.list_hook<on_object>::unlink();
    read_lane_->send(waiting, -ECANCELED);
}

void datagram_socket::close() {
    if (std::exchange(closed_, true) || !bound_) return;
    here().datagram_names.silence(local_, *this);
    here().datagram_names.unbind(local_);
}

std::uint32_t datagram_socket::readiness() const {
    const bool readable = !arrived_.empty() || read_shut_ || pending_error_ != 0;
    return readable ? ready_to_read | ready_to_write : ready_to_write;
}

// ---- names --------------------------------------------------------------------------------------

result<void> datagram_socket::bind(const address& where) {
    if (bound_) return errno_failure(EINVAL);
    if (where.family() != family_) return errno_failure(EAFNOSUPPORT);
    if (!here().owns(where)) return errno_failure(EADDRNOTAVAIL);
    const auto is_set = [&](socket_option which) {
        const auto found = settings_.find(which);
        return found != settings_.end() && found->second != 0;
    };
    const bool shared = is_set(socket_option::reuse_port) || is_set(socket_option::reuse_address);
    auto name = here().datagram_names.bind(where, shared);
    if (!name) return failure(name.error());
    local_ = *name;
    bound_ = true;
    here().datagram_names.answer(local_, shared_from_this());
    return {};
}

std::int64_t datagram_socket::bind_anywhere() {
    if (bound_) return 0;
    const auto done = bind(unnamed(family_));
    return done ? 0 : -done.error().value();
}

void datagram_socket::start_connect(request& made) {
    const auto& where = *static_cast<const address*>(made.op->data);
    if (where.family() != family_) return write_lane_->send(made, -EAFNOSUPPORT);
    const std::int64_t outcome = bind_anywhere();
    if (outcome == 0) peer_ = where;
    write_lane_->send(made, outcome);
}

result<address> datagram_socket::peer_address() const {
    if (peer_.family() == address_family::none) return errno_failure(ENOTCONN);
    return peer_;
}

result<void> datagram_socket::shut_down(shut direction) {
    if (peer_.family() == address_family::none) return errno_failure(ENOTCONN);
    if (direction != shut::writing) read_shut_ = true;
    if (direction != shut::reading) write_shut_ = true;
    receive_on();
    notify_pollers();
    return {};
}

// ---- what comes in ------------------------------------------------------------------------------

void datagram_socket::start_receive(request& made) {
    receivers_.push_back(made);
    receive_on();
}

void datagram_socket::take(const address& from, std::vector<std::byte> bytes) {
    const bool connected = peer_.family() != address_family::none;
    if (closed_ || (connected && !(from == peer_))) return;
    const auto limit = settings_.find(socket_option::receive_buffer);
    const std::size_t room =
        limit == settings_.end() ? room_at_first : static_cast<std::size_t>(limit->second);
    if (arrived_bytes_ + bytes.size() > room) return;
    arrived_bytes_ += bytes.size();
    arrived_.push_back({from, std::move(bytes)});
    receive_on();
    notify_pollers();
}

void datagram_socket::refused(const address& where) {
    if (closed_ || !(where == peer_)) return;
    pending_error_ = ECONNREFUSED;
    receive_on();
    notify_pollers();
}

void datagram_socket::receive_on() {
    while (!receivers_.empty()) {
        request& first = receivers_.front();
        std::int64_t outcome = 0;
        if (pending_error_ != 0) {
            outcome = -std::exchange(pending_error_, 0);
        } else if (!arrived_.empty()) {
            outcome = hand_over(*static_cast<message*>(first.op->data), arrived_.front());
            arrived_bytes_ -= arrived_.front().bytes.size();
            arrived_.pop_front();
        } else if (!read_shut_) {
            return;
        }
        first.list_hook<on_object>::unlink();
        read_lane_->send(first, outcome);
    }
}

// MSG_TRUNC: the real size, however much fits.
std::int64_t datagram_socket::hand_over(message& into, const parcel& what) {
    std::size_t done = 0;
    for (const io_slice& slice : slices_of(into)) {
        const std::size_t length = std::min(slice.size, what.bytes.size() - done);
        if (length > 0) std::memcpy(slice.data, what.bytes.data() + done, length);
        done += length;
    }
    into.peer = what.from;
    into.data_truncated = done < what.bytes.size();
    into.handles_truncated = false;
    into.handle_count = 0;
    return static_cast<std::int64_t>(what.bytes.size());
}

// ---- what goes out ------------------------------------------------------------------------------

void datagram_socket::start_send(request& made) {
    write_lane_->send(made, send(*static_cast<message*>(made.op->data)));
}

std::int64_t datagram_socket::send(message& what) {
    const bool is_named = what.peer.family() != address_family::none;
    const address& to = is_named ? what.peer : peer_;
    if (pending_error_ != 0) return -std::exchange(pending_error_, 0);
    if (write_shut_) return -EPIPE;
    if (to.family() == address_family::none) return -EDESTADDRREQ;
    if (to.family() != family_) return -EAFNOSUPPORT;
    if (what.handle_count > 0 || to.port() == 0) return -EINVAL;
    const std::size_t size = size_of(what);
    if (size > datagram_max) return -EMSGSIZE;
    if (const auto error = bind_anywhere()) return error;
    std::vector<std::byte> bytes;
    bytes.reserve(size);
    for (const io_slice& slice : slices_of(what)) {
        const auto* from = static_cast<const std::byte*>(slice.data);
        bytes.insert(bytes.end(), from, from + slice.size);
    }
    auto& choice = kernel().choice;
    const auto& faults = kernel().options.faults;
    if (!choice.chance(faults.lost_datagram)) launch(to, bytes);
    if (choice.chance(faults.doubled_datagram)) launch(to, bytes);
    return static_cast<std::int64_t>(size);
}

void datagram_socket::launch(const address& to, const std::vector<std::byte>& bytes) {
    auto& choice = kernel().choice;
    const auto& options = kernel().options;
    time_point arrival = saturating_add(kernel().now(), choice.within(options.network_delay));
    if (choice.chance(options.faults.late_datagram))
        arrival = saturating_add(arrival, choice.within(options.late_datagram_time));
    else
        arrival = last_arrival_ = std::max(arrival, last_arrival_ + duration(1));
    address sender = local_;
    // What a socket of every address sends has one of them.
    if (sender.octets() == unnamed(family_).octets()) {
        const node* owner = kernel().owner_of(here(), to);
        sender = owner == &here() ? to : here().name_of(family_, 0);
        sender.set_port(local_.port());
    }
    kernel().plan(arrival, std::make_shared<flight>(here(), sender, to, bytes, weak_from_this()),
                  flight::event_arrival);
}

// ---- options ------------------------------------------------------------------------------------

result<void> datagram_socket::set_option(socket_option which, std::int64_t value) {
    if (which == socket_option::pending_error) return errno_failure(ENOPROTOOPT);
    settings_[which] = value;
    return {};
}

result<std::int64_t> datagram_socket::get_option(socket_option which) {
    if (which == socket_option::pending_error) return std::exchange(pending_error_, 0);
    const auto found = settings_.find(which);
    return found == settings_.end() ? 0 : found->second;
}

}  // namespace upcall::sim
