// What each driver does by its kernel interface, what it makes of something else, and what it
// cannot.
//
//     const ability found = ability_of("epoll+linux_aio", driver_task::file_transfer);
//     if (found.how != ability::way::native) std::cout << found.remark << '\n';
//
// The table of docs/interfaces.md is written from this, by `upcall doctor --interfaces`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace upcall {

/// What is asked of a driver.
enum class driver_task : std::uint8_t {
    connect,
    accept,
    accept_many,   // one request, a connection for each peer that comes
    read_write,    // streams, into and from the caller's buffers
    receive,       // streams, into a buffer that is leased when there is data
    receive_many,  // one request, a lease for each piece that comes
    messages,      // datagrams, and descriptors that come along
    readiness,     // of descriptors that belong to others
    file_transfer,
    file_call,  // open, sync, rename and the like
    cancel_waiting,
    cancel_file_transfer,
    wait_and_wake,
    batch,
    register_memory,
    restrict_itself,
};
inline constexpr std::size_t driver_task_count = 16;

/// In words, for a table.
std::string_view name_of(driver_task task) noexcept;

/// How well a driver does one task. The texts live as long as the program.
struct ability {
    enum class way : std::uint8_t {
        native,    // the interface has it
        emulated,  // by what `remark` says
        none,      // for the reason in `remark`
    };
    way how = way::none;
    /// How, or why not; for `native` what it is, or empty.
    std::string_view remark{};
};

/// Names as `driver_choice` takes them on any platform, and "sim": one column of the table each.
inline constexpr std::array<std::string_view, 11> drivers_with_abilities = {
    "uring",           "epoll",           "poll",     "select", "sigio", "kqueue",
    "epoll+linux_aio", "epoll+posix_aio", "blocking", "iocp",   "sim"};

/// What the driver of that name makes of `task`. The engines of poll, select and sigio are those of
/// epoll, and the ways of posix_aio to tell make no difference. A name that is no driver's can do
/// nothing.
ability ability_of(std::string_view driver, driver_task task) noexcept;

}  // namespace upcall
