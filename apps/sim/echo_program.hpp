// A server that sends messages back, each with its length before it, and its clients.
#pragma once

#include <string>

#include <upcall/upcall.hpp>

namespace upcall_sim {

inline constexpr std::uint16_t echo_port = 7002;

/// The program.
upcall::task<> serve_echo();

/// Exchanges `count` messages, however often the server goes away. What is wrong with an answer is
/// told in `wrong`, which lives longer.
upcall::task<> use_echo(upcall::address where, std::uint32_t client, std::uint32_t count,
                        std::string& wrong);

}  // namespace upcall_sim
