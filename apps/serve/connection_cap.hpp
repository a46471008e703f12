// How many connections there may be, in all and from one address.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace upcall_serve {

// Who counts as one: an IPv4 address, or a /64 of IPv6, which is what one household gets.
struct client_key {
    std::array<std::uint8_t, 8> bytes{};

    static client_key of_ipv4(std::span<const std::uint8_t, 4> address);

    // An IPv4 address mapped into IPv6 is the IPv4 address.
    static client_key of_ipv6(std::span<const std::uint8_t, 16> address);

    bool operator==(const client_key&) const = default;
};

enum class admission : std::uint8_t { granted, server_full, address_full };

// Shared by all loops: asked once per connection, so a lock costs nothing that can be measured.
// Memory grows with the connections there are, never with the addresses that ever came.
class connection_cap {
  public:
    // 0 for either limit means none. `seed` is to be random: it keeps strangers from choosing
    // addresses that collide.
    connection_cap(std::size_t connections_max, std::uint32_t per_address_max, std::uint64_t seed);

    // Counts a connection if there is room for it. Each that was granted is to be given back by
    // a `leave` with the same key.
    admission enter(const client_key& key);
    void leave(const client_key& key);

    // The same for peers without an address (Unix sockets), which count in the total only.
    admission enter();
    void leave();

    std::size_t connections() const;

    // How many more would be granted, whoever they are.
    std::size_t room() const;

  private:
    // A hash table with linear probing: a slot is free when its count is 0.
    struct slot {
        client_key key;
        std::uint32_t count = 0;
    };

    std::size_t home(const client_key& key) const;
    slot& find(const client_key& key);
    void remove(std::size_t at);
    void grow();

    mutable std::mutex mutex_;
    const std::size_t connections_max_;
    const std::uint32_t per_address_max_;
    const std::uint64_t seed_;
    std::size_t connections_ = 0;
    std::size_t addresses_ = 0;
    std::vector<slot> slots_;  // their number is a power of two, at least twice addresses_
};

}  // namespace upcall_serve
