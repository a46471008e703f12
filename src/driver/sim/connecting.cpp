// How one end of a stream comes to its other end.
#include <cerrno>
#include <utility>

#include "listener.hpp"
#include "machine.hpp"
#include "stream_end.hpp"

namespace upcall::sim {
namespace {

constexpr duration retry_after = std::chrono::seconds(1);  // doubled each time, RFC 6298

}  // namespace

void stream_end::start_connect(request& made) {
    const auto& where = *static_cast<const address*>(made.op->data);
    if (phase_ == phase::connecting) return write_lane_->send(made, -EALREADY);
    if (phase_ != phase::fresh) return write_lane_->send(made, -EISCONN);
    if (where.family() != family_) return write_lane_->send(made, -EAFNOSUPPORT);
    if (family_ != address_family::unix_path) {
        if (where.port() == 0) return write_lane_->send(made, -ECONNREFUSED);
        if (!holds_name_) {
            const node* owner = kernel().owner_of(here(), where);
            address wanted = owner == &here() ? where : here().name_of(family_, 0);
            wanted.set_port(0);
            if (auto bound = bind(wanted); !bound)
                return write_lane_->send(made, -bound.error().value());
        }
    }
    remote_ = where;
    phase_ = phase::connecting;
    connector_ = made.self;
    attempts_ = 0;
    kernel().plan_after(delay(), shared_from_this(), event_attempt, made.id);
}

// One request for a connection reaches the machine that it is for.
void stream_end::attempt(std::uint64_t number) {
    if (!connector_ || connector_->id != number) return;
    ++attempts_;
    auto& choice = kernel().choice;
    const auto& options = kernel().options;
    there_ = kernel().owner_of(here(), remote_);
    bool lost = choice.chance(options.faults.lost_connect);
    // Both ways: a connection is made by three packets.
    if (!there_ || !kernel().reaches(here(), *there_) || !kernel().reaches(*there_, here()))
        lost = true;
    if (!lost) {
        const auto there = there_->names.find(remote_, choice);
        if (!there) {
            kernel().plan_after(delay(), shared_from_this(), event_refused);
            return;
        }
        auto server = std::make_shared<stream_end>(*there_, family_, reach_);
        server->local_ = remote_;
        server->remote_ = local_;
        server->join(here());
        join(*there_);
        const auto self = std::static_pointer_cast<stream_end>(shared_from_this());
        server->peer_ = self;
        server->phase_ = phase::connected;
        if (static_cast<listener&>(*there).offer(server)) {
            peer_ = server;
            kernel().plan_after(delay(), shared_from_this(), event_connected);
            return;
        }
        lost = true;  // a full queue drops the request, and the client tries again (listen(2))
    }
    if (attempts_ >= static_cast<std::uint64_t>(options.connect_attempts)) {
        connect_done(-ETIMEDOUT);
        return;
    }
    kernel().plan_after(retry_after * (std::int64_t{1} << (attempts_ - 1)), shared_from_this(),
                        event_attempt, number);
}

void stream_end::connect_done(std::int64_t outcome) {
    if (!connector_) return;  // it was called off
    const auto made = std::exchange(connector_, nullptr);
    phase_ = outcome == 0 ? phase::connected : phase::fresh;
    write_lane_->send(*made, outcome);
    changed();
}

// Before the first attempt arrived nothing has happened. After it the other side may have a
// connection already, which no answer of this machine can undo: the socket is spoilt.
void stream_end::withdraw_connect(request& waiting) {
    connector_ = nullptr;
    if (attempts_ == 0) {
        phase_ = phase::fresh;
        return write_lane_->send(waiting, -ECANCELED);
    }
    if (const auto peer = peer_.lock(); peer && peer->phase_ != phase::closed)
        peer->push(part::reset);
    reset_ = true;
    phase_ = phase::connected;
    waiting.op->target->broken = true;
    write_lane_->send(waiting, -ECANCELED);
}

}  // namespace upcall::sim
