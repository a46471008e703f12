#include "network.hpp"

#include <algorithm>
#include <cerrno>

#include "object.hpp"

namespace upcall::sim {
namespace {

constexpr std::uint16_t first_ephemeral = 49152;

bool is_wildcard(const address& where) noexcept {
    return std::ranges::all_of(where.octets(), [](std::uint8_t octet) { return octet == 0; });
}

std::string key_of(const address& where) {
    std::string key(1, static_cast<char>(where.family()));
    if (where.family() == address_family::unix_path) return key += where.path();
    key.append(where.octets().begin(), where.octets().end());
    key += static_cast<char>(where.port() >> 8);
    key += static_cast<char>(where.port() & 0xff);
    return key;
}

address wildcard_of(const address& where) noexcept {
    address all = unnamed(where.family());
    all.set_port(where.port());
    return all;
}

}  // namespace

address unnamed(address_family family) noexcept {
    switch (family) {
        case address_family::ipv4:
            return address::ipv4({}, 0);
        case address_family::ipv6:
            return address::ipv6({}, 0);
        case address_family::unix_path:
        case address_family::none:
            break;
    }
    return {};
}

bool network::taken(const address& wanted, bool shared) const {
    if (wanted.family() != address_family::unix_path && !ports_.contains(wanted.port()))
        return false;
    return std::ranges::any_of(places_, [&](const auto& entry) {
        const place& other = entry.second;
        if (other.where.family() != wanted.family() || (other.shared && shared)) return false;
        if (wanted.family() == address_family::unix_path)
            return other.where.path() == wanted.path();
        return other.where.port() == wanted.port() &&
               (other.where.octets() == wanted.octets() || is_wildcard(other.where) ||
                is_wildcard(wanted));
    });
}

result<address> network::bind(const address& wanted, bool shared) {
    address bound = wanted;
    if (wanted.family() != address_family::unix_path && wanted.port() == 0) {
        const std::uint16_t start = next_port_;
        do {
            bound.set_port(next_port_);
            next_port_ = next_port_ == UINT16_MAX ? first_ephemeral
                                                  : static_cast<std::uint16_t>(next_port_ + 1);
            if (next_port_ == start) return errno_failure(EADDRNOTAVAIL);
        } while (taken(bound, false));
    } else if (taken(bound, shared)) {
        return errno_failure(EADDRINUSE);
    }
    place& here = places_[key_of(bound)];
    if (here.holders == 0) ++ports_[bound.port()];
    here.where = bound;
    here.shared = shared;
    ++here.holders;
    return bound;
}

void network::unbind(const address& bound) noexcept {
    const auto found = places_.find(key_of(bound));
    if (found == places_.end() || --found->second.holders > 0) return;
    places_.erase(found);
    const auto port = ports_.find(bound.port());
    if (--port->second == 0) ports_.erase(port);
}

void network::answer(const address& bound, std::shared_ptr<object> who) {
    places_.at(key_of(bound)).answering.push_back(std::move(who));
}

void network::silence(const address& bound, const object& who) noexcept {
    const auto found = places_.find(key_of(bound));
    if (found != places_.end())
        std::erase_if(found->second.answering, [&](const auto& one) { return one.get() == &who; });
}

std::shared_ptr<object> network::find(const address& where, choices& choice) const {
    for (const address& name : {where, wildcard_of(where)}) {
        const auto found = places_.find(key_of(name));
        if (found == places_.end() || found->second.answering.empty()) continue;
        const auto& all = found->second.answering;
        return all[static_cast<std::size_t>(choice.below(all.size()))];
    }
    return nullptr;
}

}  // namespace upcall::sim
