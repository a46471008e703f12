#include "node.hpp"

#include <algorithm>
#include <utility>

#include "machine.hpp"

namespace upcall::sim {
namespace {

constexpr native_handle first_descriptor = 3;

bool is_loopback(const address& where) noexcept {
    if (where.family() == address_family::ipv4) return where.octets()[0] == 127;
    return where.octets() ==
           std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

bool is_wildcard(const address& where) noexcept {
    return std::ranges::all_of(where.octets(), [](std::uint8_t octet) { return octet == 0; });
}

}  // namespace

node::node(machine& kernel, std::uint32_t number)
    : files(kernel.options.disk_bytes), kernel_(&kernel), number_(number) {}

address node::name_of(address_family family, std::uint16_t port) const noexcept {
    const auto high = static_cast<std::uint8_t>(number_ >> 8);
    const auto low = static_cast<std::uint8_t>(number_);
    if (family == address_family::ipv6)
        return address::ipv6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}, port);
    return address::ipv4({10, 0, high, low}, port);
}

bool node::owns(const address& where) const noexcept {
    if (number_ == 0 || where.family() == address_family::unix_path) return true;
    return is_loopback(where) || is_wildcard(where) ||
           where.octets() == name_of(where.family(), 0).octets();
}

// ---- descriptors --------------------------------------------------------------------------------

bool node::full() const noexcept { return descriptors_.size() >= kernel_->options.descriptors_max; }

result<native_handle> node::install(std::shared_ptr<object> made) {
    if (full()) return errno_failure(EMFILE);
    native_handle number = first_descriptor;
    if (!free_.empty()) {
        number = *free_.begin();
        free_.erase(free_.begin());
    } else if (!descriptors_.empty()) {
        number = descriptors_.rbegin()->first + 1;
    }
    descriptors_.emplace(number, std::move(made));
    return number;
}

std::shared_ptr<object> node::find(native_handle native) const {
    const auto found = descriptors_.find(native);
    return found == descriptors_.end() ? nullptr : found->second;
}

void node::replace(native_handle native, std::shared_ptr<object> by) {
    descriptors_.at(native) = std::move(by);
}

bool node::close(native_handle native) {
    const auto found = descriptors_.find(native);
    if (found == descriptors_.end()) return false;
    const auto gone = std::move(found->second);
    descriptors_.erase(found);
    free_.insert(native);
    gone->close();
    return true;
}

// ---- power --------------------------------------------------------------------------------------

void node::close_all() {
    while (!descriptors_.empty()) close(descriptors_.begin()->first);
    free_.clear();
}

void node::power_off() {
    on_ = false;
    for (const auto& [native, object] : std::exchange(descriptors_, {})) object->vanish();
    free_.clear();
    names = network{};
    datagram_names = network{};
    files.lose_power(kernel_->choice);
}

void node::power_on() noexcept {
    on_ = true;
    ++boots_;
}

}  // namespace upcall::sim
