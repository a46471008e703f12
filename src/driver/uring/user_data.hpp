// What the user data of an entry means: an address, and in its lowest bits what it is the address
// of: an operation, or the note of a handle that is being closed.
#pragma once

#include <cstdint>

#include <upcall/driver/io_operation.hpp>

namespace upcall {

enum user_data_tag : std::uint64_t {
    tag_operation = 0,
    tag_cancel = 1,   // the operation's cancellation
    tag_wake = 2,     // no address
    tag_end_all = 3,  // the closing note, or null
};
inline constexpr std::uint64_t tag_mask = 7;

inline std::uint64_t user_data_of(const io_operation& op) noexcept {
    return reinterpret_cast<std::uint64_t>(static_cast<const void*>(&op));
}

inline void* pointer_in(std::uint64_t user_data) noexcept {
    return reinterpret_cast<void*>(user_data & ~tag_mask);
}

inline io_operation& operation_of(std::uint64_t user_data) noexcept {
    return *static_cast<io_operation*>(pointer_in(user_data));
}

}  // namespace upcall
