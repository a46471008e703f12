// The io_uring kernel interface as upcall knows it: numbers, layouts and the three system calls.
//
// Nothing here includes or clashes with <linux/io_uring.h>; a test compares the two. The wrappers
// return what the kernel returns, errors as -errno, and never retry by themselves.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "driver/uring/abi_numbers.hpp"
#include "driver/uring/abi_structs.hpp"

namespace upcall::uring_abi {

// The same on every architecture but Alpha, whose headers know them.
#ifdef __NR_io_uring_setup
inline constexpr long setup_number = __NR_io_uring_setup;
inline constexpr long enter_number = __NR_io_uring_enter;
inline constexpr long register_number = __NR_io_uring_register;
#else
inline constexpr long setup_number = 425;
inline constexpr long enter_number = 426;
inline constexpr long register_number = 427;
#endif

// io_uring_setup(2): a descriptor, or -errno.
[[nodiscard]] inline int sys_setup(std::uint32_t entries, params* ring) noexcept {
    long const answer = ::syscall(setup_number, entries, ring);
    return answer < 0 ? -errno : static_cast<int>(answer);
}

// io_uring_enter(2): how many entries were submitted, or -errno. `argument` is a signal mask, or
// with enter::ext_arg a getevents_arg, or with enter::ext_arg_reg a byte offset into the wait
// region.
[[nodiscard]] inline int sys_enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete,
                                   std::uint32_t flags, void const* argument = nullptr,
                                   std::size_t argument_size = 0) noexcept {
    long const answer =
        ::syscall(enter_number, fd, to_submit, min_complete, flags, argument, argument_size);
    return answer < 0 ? -errno : static_cast<int>(answer);
}

// io_uring_register(2): the operation's answer, or -errno. `flags` may be use_registered_ring.
// register_op::query takes fd -1 and needs no ring.
[[nodiscard]] inline int sys_register(int fd, register_op what, void* argument, std::uint32_t count,
                                      std::uint32_t flags = 0) noexcept {
    long const answer =
        ::syscall(register_number, fd, static_cast<std::uint32_t>(what) | flags, argument, count);
    return answer < 0 ? -errno : static_cast<int>(answer);
}

}  // namespace upcall::uring_abi
