#include "listener.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "machine.hpp"

namespace upcall::sim {
namespace {

constexpr int backlog_max = 4096;  // Linux's somaxconn

}  // namespace

listener::listener(node& on, const address& local, int backlog)
    : object(on), local_(local), accept_lane_(std::make_shared<lane>(on.kernel())) {
    set_backlog(backlog);
}

void listener::set_backlog(int backlog) noexcept {
    backlog_ = static_cast<std::size_t>(std::clamp(backlog, 1, backlog_max));
}

bool listener::offer(std::shared_ptr<stream_end> made) {
    if (waiting_.size() >= backlog_) return false;
    waiting_.push_back(std::move(made));
    accept_on();
    notify_pollers();
    return true;
}

void listener::start(request& made) {
    if (made.op->kind != op_kind::accept) return accept_lane_->send(made, -EINVAL);
    acceptors_.push_back(made);
    accept_on();
}

void listener::accept_on() {
    while (!acceptors_.empty() && !waiting_.empty()) accept_one(acceptors_.front());
}

void listener::accept_one(request& acceptor) {
    const auto& faults = kernel().options.faults;
    std::int64_t outcome = 0;
    if (kernel().choice.chance(faults.aborted_accept)) {
        waiting_.front()->refuse();
        waiting_.pop_front();
        outcome = -ECONNABORTED;
    } else if (here().full()) {
        outcome = -EMFILE;  // the connection stays
    } else {
        outcome = *here().install(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    const bool goes_on = acceptor.is_source() && outcome >= 0 &&
                         !kernel().choice.chance(kernel().options.end_source);
    if (!goes_on) acceptor.list_hook<on_object>::unlink();
    accept_lane_->send(acceptor, outcome, nullptr, !goes_on);
}

void listener::withdraw(request& waiting) {
    waiting.list_hook<on_object>::unlink();
    accept_lane_->send(waiting, -ECANCELED);
}

void listener::close() {
    here().names.silence(local_, *this);
    here().names.unbind(local_);
    while (!waiting_.empty()) {
        waiting_.front()->refuse();
        waiting_.pop_front();
    }
}

void listener::vanish() {
    for (const auto& one : std::exchange(waiting_, {})) one->vanish();
}

void listener::hear_again(const node& from) {
    for (const auto& one : waiting_) one->hear_again(from);
}

void listener::hear_no_more(const node& from) {
    for (const auto& one : waiting_) one->hear_no_more(from);
}

std::uint32_t listener::readiness() const {
    if (waiting_.empty()) return 0;
    return ready_to_read;
}

result<void> listener::bind(const address&) { return errno_failure(EINVAL); }
result<void> listener::shut_down(shut) { return errno_failure(ENOTCONN); }
result<address> listener::peer_address() const { return errno_failure(ENOTCONN); }

result<void> listener::set_option(socket_option which, std::int64_t value) {
    if (which == socket_option::pending_error) return errno_failure(ENOPROTOOPT);
    settings_[which] = value;
    return {};
}

result<std::int64_t> listener::get_option(socket_option which) {
    const auto found = settings_.find(which);
    return found == settings_.end() ? 0 : found->second;
}

}  // namespace upcall::sim
