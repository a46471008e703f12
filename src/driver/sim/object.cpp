#include "object.hpp"

#include <cerrno>

#include "machine.hpp"

namespace upcall::sim {

object::object(node& on)
    : here_(&on),
      kernel_(&on.kernel()),
      number_(kernel_->next_object()),
      poll_lane_(std::make_shared<lane>(*kernel_)) {}

void object::forget(request& made) {
    if (made.list_hook<on_object>::linked()) made.list_hook<on_object>::unlink();
}

result<void> object::bind(const address&) { return errno_failure(ENOTSOCK); }
result<void> object::shut_down(shut) { return errno_failure(ENOTSOCK); }
result<address> object::local_address() const { return errno_failure(ENOTSOCK); }
result<address> object::peer_address() const { return errno_failure(ENOTSOCK); }
result<void> object::set_option(socket_option, std::int64_t) { return errno_failure(ENOTSOCK); }
result<std::int64_t> object::get_option(socket_option) { return errno_failure(ENOTSOCK); }

void object::start_poll(request& made) {
    pollers_.push_back(made);
    notify_pollers();
}

void object::withdraw_poll(request& waiting) {
    waiting.list_hook<on_object>::unlink();
    poll_lane_->send(waiting, -ECANCELED);
}

void object::notify_pollers() {
    if (pollers_.empty()) return;
    const std::uint32_t holds = readiness();
    pollers_.for_each([&](request& waiting) {
        const auto wanted = static_cast<std::uint32_t>(waiting.op->size);
        if ((holds & wanted) == 0) return;
        waiting.list_hook<on_object>::unlink();
        poll_lane_->send(waiting, holds & wanted);
    });
}

}  // namespace upcall::sim
