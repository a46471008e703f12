#include <upcall/io/detail/passing.hpp>

#include <algorithm>
#include <cerrno>

namespace upcall::detail {

descriptor_parcel::descriptor_parcel(message& carrier, std::span<const native_handle> passed)
    : handles_(passed.begin(), passed.end()), control_(message_control_room(passed.size())) {
    carrier.handles = handles_.data();
    carrier.handle_count = handles_.size();
    carrier.control = control_.data();
    carrier.control_size = control_.size();
}

descriptor_parcel::descriptor_parcel(message& carrier, std::vector<descriptor>& arrived,
                                     std::size_t max)
    : handles_(std::min(max, passed_max)),
      control_(message_control_room(handles_.size())),
      arrived_(&arrived) {
    arrived.reserve(arrived.size() + handles_.size());
    carrier.handles = handles_.data();
    carrier.handle_max = handles_.size();
    carrier.control = control_.data();
    carrier.control_size = control_.size();
}

void descriptor_parcel::unpack(const message& carrier) {
    for (std::size_t at = 0; at < carrier.handle_count; ++at) arrived_->emplace_back(handles_[at]);
}

write_with_operation::write_with_operation(arguments&& given)
    : write_all_operation({given.core, given.buffer, {}}),
      slice_(given.buffer),
      parcel_(message_, given.passed) {
    message_.slices = &slice_;
    message_.slice_count = 1;
    form = waiter_form::message;
    content = &message_;
}

bool write_with_operation::launch(context& where) noexcept {
    // They travel with a byte, of which there has to be one (unix(7)).
    if (left > 0) return write_all_operation::launch(where);
    outcome = -EINVAL;
    return true;
}

read_with_operation::read_with_operation(arguments&& given)
    : read_operation({given.core, given.buffer, {}}),
      slice_(given.buffer),
      parcel_(message_, *given.arrived, given.max) {
    message_.slices = &slice_;
    message_.slice_count = 1;
    form = waiter_form::message;
    content = &message_;
}

result<read_with_descriptors> read_with_operation::take() {
    parcel_.unpack(message_);
    if (outcome < 0) return failure(error_from_raw(outcome));
    return read_with_descriptors{done, message_.handles_truncated};
}

}  // namespace upcall::detail
