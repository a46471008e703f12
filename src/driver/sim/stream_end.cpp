#include "stream_end.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "driver.hpp"
#include "machine.hpp"
#include "op_memory.hpp"

namespace upcall::sim {
namespace {

constexpr std::size_t pipe_atomic = 4096;

}  // namespace

stream_end::stream_end(node& on, address_family family, reach how)
    : object(on),
      family_(family),
      reach_(how),
      local_(unnamed(family)),
      there_(&on),
      there_boot_(on.boots()),
      read_lane_(std::make_shared<lane>(on.kernel())),
      window_(on.kernel().options.send_window),
      write_lane_(std::make_shared<lane>(on.kernel())) {}

void stream_end::connect(const std::shared_ptr<stream_end>& one,
                         const std::shared_ptr<stream_end>& other) {
    one->peer_ = other;
    other->peer_ = one;
    one->phase_ = other->phase_ = phase::connected;
}

void stream_end::make_pipe(stream_end& read_end, stream_end& write_end) {
    read_end.writes_ = false;
    read_end.write_shut_ = true;
    write_end.reads_ = false;
    write_end.window_ = write_end.kernel().options.pipe_capacity;
}

void stream_end::start(request& made) {
    switch (made.op->kind) {
        case op_kind::connect:
            return start_connect(made);
        case op_kind::read:
        case op_kind::receive:
            return start_read(made);
        case op_kind::write:
            return start_write(made);
        case op_kind::accept:
            return read_lane_->send(made, -EINVAL);
        default:
            return read_lane_->send(made, raw_error(errc::unsupported));
    }
}

void stream_end::withdraw(request& waiting) {
    if (waiting.op->kind == op_kind::connect) return withdraw_connect(waiting);
    waiting.list_hook<on_object>::unlink();
    const bool writes = waiting.op->kind == op_kind::write;
    // What was moved has happened: its count is the value, cancelled or not.
    const std::int64_t outcome =
        waiting.moved > 0 ? static_cast<std::int64_t>(waiting.moved) : -ECANCELED;
    (writes ? write_lane_ : read_lane_)->send(waiting, outcome);
}

void stream_end::fire(std::uint32_t what, std::uint64_t argument) {
    switch (what) {
        case event_arrival:
            return arrive();
        case event_attempt:
            return attempt(argument);
        case event_connected:
            return connect_done(0);
        case event_refused:
            return connect_done(-ECONNREFUSED);
        case event_credit:
            return count_credit(argument);
        case event_give_up:
            return give_up(argument);
    }
}

duration stream_end::delay() {
    const auto& options = kernel().options;
    return kernel().choice.within(reach_ == reach::local ? options.local_delay
                                                         : options.network_delay);
}

void stream_end::changed() {
    read_on();
    write_on();
    notify_pollers();
}

// ---- what comes in ------------------------------------------------------------------------------

void stream_end::push(part kind, std::vector<std::byte> bytes) {
    if (there_ != &here() && kernel().choice.chance(kernel().options.faults.clog))
        kernel().lines.clog(
            {there_->number(), here().number()},
            saturating_add(kernel().now(), kernel().choice.within(kernel().options.clog_time)));
    last_arrival_ = std::max(last_arrival_, saturating_add(kernel().now(), delay()));
    inbound_.push_back({kind, std::move(bytes)});
    kernel().plan(last_arrival_, shared_from_this(), event_arrival);
}

void stream_end::arrive() {
    if (held_back()) return;
    // Each event brings the oldest segment, whichever it was planned for: nothing overtakes.
    segment oldest = std::move(inbound_.front());
    inbound_.pop_front();
    if (phase_ == phase::closed || reset_) return;
    if (has_gap_ && oldest.kind != part::reset) return;
    switch (oldest.kind) {
        case part::data:
            if (kernel().choice.chance(kernel().options.faults.reset)) {
                if (auto peer = peer_.lock()) peer->push(part::reset);
                return be_reset();
            }
            arrived_.push(oldest.bytes);
            acknowledge(oldest.bytes.size());
            break;
        case part::fin:
            finished_ = true;
            break;
        case part::reset:
            return be_reset();
    }
    changed();
}

void stream_end::be_reset() {
    if (phase_ == phase::closed || reset_) return;
    reset_ = true;
    // Linux, tcp_reset(): after the peer's FIN only our writing was still under way. A pipe has
    // no resets; its writer finds EPIPE.
    if (reads_ && writes_) pending_error_ = finished_ ? EPIPE : ECONNRESET;
    changed();
}

void stream_end::start_read(request& made) {
    if (!reads_) return read_lane_->send(made, -EBADF);
    if (phase_ != phase::connected) return read_lane_->send(made, -ENOTCONN);
    if (made.op->kind == op_kind::read && op_memory(*made.op).size() == 0)
        return read_lane_->send(made, 0);
    readers_.push_back(made);
    read_on();
}

void stream_end::read_on() {
    while (!readers_.empty()) {
        request& reader = readers_.front();
        if (!arrived_.empty()) {
            if (!read_some(reader)) return;
        } else if (!finished_ && pending_error_ != 0) {
            // After a FIN the end comes first: Linux, SOCK_DONE in tcp_recvmsg_locked().
            finish_reader(reader, -std::exchange(pending_error_, 0));
        } else if (finished_ || read_shut_ || reset_) {
            finish_reader(reader, 0);
        } else {
            return;
        }
    }
}

void stream_end::finish_reader(request& reader, std::int64_t outcome) {
    reader.list_hook<on_object>::unlink();
    read_lane_->send(reader, outcome);
}

// Returns false when it has to wait for a buffer.
bool stream_end::read_some(request& reader) {
    auto& choice = kernel().choice;
    const auto& options = kernel().options;
    const bool leases = reader.op->kind == op_kind::receive;
    const op_memory memory(*reader.op);
    std::byte* block = nullptr;
    std::size_t room = leases ? 0 : memory.size();
    if (leases) {
        buffer_pool& pool = reader.via->buffers();
        const bool large = reader.op->flags & op_bulk;
        block = large ? pool.take_large() : pool.take_small();
        room = large ? pool.large_bytes() : pool.small_bytes();
        if (!block) {
            reader.via->starves(*this);
            return false;
        }
    }
    std::size_t count = std::min(room, arrived_.size());
    if (count > 1 && choice.chance(options.faults.short_read)) count = 1 + choice.below(count - 1);
    const byte_view bytes = arrived_.front(count);
    if (leases)
        std::memcpy(block, bytes.data(), count);
    else
        memory.store(0, bytes);
    arrived_.drop(count);
    const bool last = !reader.is_source() || choice.chance(options.end_source);
    if (last) reader.list_hook<on_object>::unlink();
    read_lane_->send(reader, static_cast<std::int64_t>(count), block, last);
    credit(count);
    return true;
}

// The reader took bytes: the writer may send as many more, once it learns of it.
void stream_end::credit(std::size_t bytes) {
    const auto peer = peer_.lock();
    if (peer && peer->phase_ != phase::closed)
        kernel().plan_after(delay(), peer, event_credit, bytes);
}

// ---- what goes out ------------------------------------------------------------------------------

void stream_end::start_write(request& made) {
    if (!writes_) return write_lane_->send(made, -EBADF);
    if (phase_ != phase::connected) return write_lane_->send(made, -ENOTCONN);
    writers_.push_back(made);
    write_on();
}

void stream_end::write_on() {
    while (!writers_.empty())
        if (!write_some(writers_.front())) return;
}

int stream_end::write_error(bool take) noexcept {
    if (pending_error_ != 0) return take ? std::exchange(pending_error_, 0) : pending_error_;
    if (reset_ || write_shut_) return EPIPE;
    // Within one machine a write knows at once that nobody can read it any more.
    if (reach_ == reach::local) {
        const auto peer = peer_.lock();
        if (!peer || peer->phase_ == phase::closed || peer->read_shut_) return EPIPE;
    }
    return 0;
}

// Returns false when it has to wait for the window.
bool stream_end::write_some(request& writer) {
    auto& choice = kernel().choice;
    const auto& options = kernel().options;
    const op_memory memory(*writer.op);
    const std::size_t left = memory.size() - writer.moved;
    std::int64_t outcome = 0;
    if (memory.size() == 0) {
        outcome = 0;  // whatever the stream has come to: it asks for nothing
    } else if (const int error = write_error(writer.moved == 0)) {
        outcome = writer.moved > 0 ? static_cast<std::int64_t>(writer.moved) : -error;
    } else if (left > 0) {
        const std::size_t room = window_ > under_way_ ? window_ - under_way_ : 0;
        // Small writes to a pipe are never parted (pipe(7), PIPE_BUF).
        const bool in_one = !reads_ && left <= std::min(pipe_atomic, window_);
        if (room == 0 || (in_one && room < left)) return false;
        std::size_t count = std::min(room, left);
        const bool cut = !in_one && count > 1 && choice.chance(options.faults.short_write);
        if (cut) count = 1 + choice.below(count - 1);
        std::vector<std::byte> bytes(count);
        memory.load(writer.moved, bytes);
        send(bytes);
        writer.moved += count;
        const bool goes_on = (writer.op->flags & op_whole) && count < left && !cut;
        if (goes_on) return true;
        outcome = static_cast<std::int64_t>(writer.moved);
    }
    writer.list_hook<on_object>::unlink();
    write_lane_->send(writer, outcome);
    return true;
}

void stream_end::send(byte_view bytes) {
    under_way_ += bytes.size();
    unacknowledged_ += bytes.size();
    if (is_cut_off()) watch_silence();
    if (!there_->is_on()) return;  // into the dark
    const auto peer = peer_.lock();
    if (!peer || peer->phase_ == phase::closed) {
        // Nobody is there any more: the answer to what was sent is a reset, behind the FIN.
        last_arrival_ = std::max(last_arrival_, saturating_add(kernel().now(), delay()));
        return push(part::reset);
    }
    auto& choice = kernel().choice;
    while (!bytes.empty()) {
        std::size_t count = bytes.size();
        if (count > 1 && choice.chance(kernel().options.segment))
            count = 1 + static_cast<std::size_t>(choice.below(count));
        peer->push(part::data, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)});
        bytes = bytes.subspan(count);
    }
}

// ---- controls -----------------------------------------------------------------------------------

void stream_end::close() {
    if (phase_ == phase::closed) return;
    const bool connected = std::exchange(phase_, phase::closed) == phase::connected;
    if (holds_name_ && here().is_on()) here().names.unbind(local_);
    const auto peer = peer_.lock();
    if (!connected || !peer || peer->phase_ == phase::closed || reset_) return;
    const auto linger = settings_.find(socket_option::linger_seconds);
    const bool aborts = linger != settings_.end() && linger->second == 0;
    if (aborts || !arrived_.empty()) {
        peer->push(part::reset);
    } else {
        if (!write_shut_) peer->push(part::fin);
        // What is still under way to us will be answered with a reset.
        const auto is_data = [](const segment& one) { return one.kind == part::data; };
        if (std::ranges::any_of(inbound_, is_data)) peer->push(part::reset);
    }
    peer->changed();
}

void stream_end::refuse() {
    if (const auto peer = peer_.lock(); peer && peer->phase_ != phase::closed)
        peer->push(part::reset);
    phase_ = phase::closed;
}

address stream_end::give_name() noexcept {
    holds_name_ = false;
    phase_ = phase::closed;
    return local_;
}

std::uint32_t stream_end::readiness() const {
    if (phase_ != phase::connected) return 0;
    std::uint32_t holds = 0;
    if (!arrived_.empty() || finished_ || read_shut_ || reset_) holds |= ready_to_read;
    if (under_way_ < window_ || write_shut_ || reset_) holds |= ready_to_write;
    return holds;
}

result<void> stream_end::shut_down(shut direction) {
    if (phase_ != phase::connected || reset_) return errno_failure(ENOTCONN);
    if (direction != shut::writing) read_shut_ = true;
    if (direction != shut::reading && !write_shut_) {
        write_shut_ = true;
        if (const auto peer = peer_.lock(); peer && peer->phase_ != phase::closed)
            peer->push(part::fin);
    }
    changed();
    return {};
}

result<address> stream_end::peer_address() const {
    if (phase_ != phase::connected) return errno_failure(ENOTCONN);
    return remote_;
}

result<void> stream_end::bind(const address& where) {
    if (phase_ != phase::fresh || holds_name_) return errno_failure(EINVAL);
    if (where.family() != family_) return errno_failure(EAFNOSUPPORT);
    if (!here().owns(where)) return errno_failure(EADDRNOTAVAIL);
    const auto shared = settings_.find(socket_option::reuse_port);
    auto bound = here().names.bind(where, shared != settings_.end() && shared->second != 0);
    if (!bound) return failure(bound.error());
    local_ = *bound;
    holds_name_ = true;
    return {};
}

result<void> stream_end::set_option(socket_option which, std::int64_t value) {
    switch (which) {
        case socket_option::pending_error:
            return errno_failure(ENOPROTOOPT);
        case socket_option::linger_seconds:
            if (value > 0) return failure(errc::unsupported);
            break;
        case socket_option::send_buffer:
            window_ = static_cast<std::size_t>(std::max<std::int64_t>(value, 1));
            break;
        default:
            break;
    }
    settings_[which] = value;
    return {};
}

result<std::int64_t> stream_end::get_option(socket_option which) {
    if (which == socket_option::pending_error) return std::exchange(pending_error_, 0);
    const auto found = settings_.find(which);
    if (found != settings_.end()) return found->second;
    if (which == socket_option::send_buffer) return static_cast<std::int64_t>(window_);
    return which == socket_option::linger_seconds ? -1 : 0;
}

}  // namespace upcall::sim
