#include "serve/connection_cap.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

namespace upcall_serve {

client_key client_key::of_ipv4(std::span<const std::uint8_t, 4> address) {
    // The first half of ::ffff:0:0/32 would be all zeros, as is that of ::1: the mark in front
    // tells IPv4 from IPv6, where no /64 of a client begins with 0xff (multicast).
    client_key key;
    key.bytes[0] = 0xff;
    std::ranges::copy(address, key.bytes.begin() + 4);
    return key;
}

client_key client_key::of_ipv6(std::span<const std::uint8_t, 16> address) {
    constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::ranges::equal(address.first<12>(), mapped)) return of_ipv4(address.last<4>());
    client_key key;
    std::ranges::copy(address.first<8>(), key.bytes.begin());
    return key;
}

connection_cap::connection_cap(std::size_t connections_max, std::uint32_t per_address_max,
                               std::uint64_t seed)
    : connections_max_(connections_max),
      per_address_max_(per_address_max),
      seed_(seed),
      slots_(64) {}

admission connection_cap::enter(const client_key& key) {
    const std::lock_guard lock(mutex_);
    if (connections_max_ != 0 && connections_ >= connections_max_) return admission::server_full;
    if ((addresses_ + 1) * 2 > slots_.size()) grow();
    slot& found = find(key);
    if (per_address_max_ != 0 && found.count >= per_address_max_) return admission::address_full;
    ++connections_;
    if (found.count == 0) {
        found.key = key;
        ++addresses_;
    }
    ++found.count;
    return admission::granted;
}

void connection_cap::leave(const client_key& key) {
    const std::lock_guard lock(mutex_);
    slot& found = find(key);
    assert(found.count > 0 && connections_ > 0);
    --connections_;
    if (--found.count > 0) return;
    --addresses_;
    remove(static_cast<std::size_t>(&found - slots_.data()));
}

admission connection_cap::enter() {
    const std::lock_guard lock(mutex_);
    if (connections_max_ != 0 && connections_ >= connections_max_) return admission::server_full;
    ++connections_;
    return admission::granted;
}

void connection_cap::leave() {
    const std::lock_guard lock(mutex_);
    assert(connections_ > 0);
    --connections_;
}

std::size_t connection_cap::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}

std::size_t connection_cap::room() const {
    if (connections_max_ == 0) return std::numeric_limits<std::size_t>::max();
    const std::lock_guard lock(mutex_);
    return connections_max_ - connections_;
}

// Multiplying by an odd number of the seed and taking the upper half spreads every bit.
std::size_t connection_cap::home(const client_key& key) const {
    std::uint64_t word;
    std::memcpy(&word, key.bytes.data(), sizeof word);
    word = (word ^ seed_) * 0x9e3779b97f4a7c15u;
    word = (word ^ (word >> 29)) * (seed_ | 1);
    return static_cast<std::size_t>(word >> 32) & (slots_.size() - 1);
}

// The slot that holds `key`, or the free one where it would go.
connection_cap::slot& connection_cap::find(const client_key& key) {
    std::size_t at = home(key);
    while (slots_[at].count != 0 && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
}

// Moves back what follows, so that no probe meets a hole before its key: an entry may fill the
// hole unless its home lies between the two.
void connection_cap::remove(std::size_t at) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t next = (at + 1) & mask; slots_[next].count != 0; next = (next + 1) & mask) {
        const std::size_t reach = (next - home(slots_[next].key)) & mask;
        if (reach < ((next - at) & mask)) continue;
        slots_[at] = slots_[next];
        at = next;
    }
    slots_[at] = {};
}

void connection_cap::grow() {
    std::vector<slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const slot& each : old)
        if (each.count != 0) find(each.key) = each;
}

}  // namespace upcall_serve
