// What the programs of the system suite say to each other.
#pragma once

#include <cstdint>

#include <upcall/base/buffer.hpp>

namespace upcall_sim {

template <class T>
upcall::byte_span bytes_in(T& value) noexcept {
    return {reinterpret_cast<std::byte*>(&value), sizeof value};
}

constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
    value = (value ^ (value >> 31)) * 0x9e3779b97f4a7c15U;
    return value ^ (value >> 29);
}

/// What a number of a client stands for.
constexpr std::uint64_t payload_of(std::uint32_t client, std::uint32_t number) noexcept {
    return number == 0 ? 0 : mixed((std::uint64_t{client} << 32) | number) | 1;
}

/// Asks the log to keep a number, the one after the last; 0 only asks for the last.
struct ask {
    std::uint32_t client = 0;
    std::uint32_t number = 0;
};

/// The last number of that client that is kept for good.
struct answer {
    std::uint64_t number = 0;
    std::uint64_t payload = 0;
};

}  // namespace upcall_sim
