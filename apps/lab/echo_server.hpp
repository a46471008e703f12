// Servers that send back what they get, in a process of their own: a thread for each connection, a
// loop by hand, and a loop of upcall's on any of its drivers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "lab/child.hpp"
#include "lab/owned_fd.hpp"

namespace upcall_lab {

constexpr std::size_t message_bytes = 64;

/// "threads", "plain epoll", or one of upcall's drivers.
inline const std::string threads_server = "threads";
inline const std::string epoll_server = "plain epoll";

enum class transport { unix_socket, tcp };

/// What a server has used so far.
struct server_usage {
    double cpu_ns = 0;
    double switches = 0;
    double memory_bytes = 0;
};

class echo_server {
  public:
    /// Starts a server that accepts so many connections and then serves them, on the measured
    /// core. The caller connects by `connect` as often, then calls `await_ready`.
    /// `works`: see load_plan. Throws lab_error.
    echo_server(const std::string& kind, transport over, bool works, unsigned connections);

    owned_fd connect();
    /// Until all connections are being served. Throws lab_error with the server's reason.
    void await_ready();
    /// Asked of the server, so that it costs the same however the server works.
    server_usage usage();
    /// What it used before the first connection.
    const server_usage& before() const noexcept { return before_; }

  private:
    [[noreturn]] void be_the_server(const std::string& kind, unsigned connections, int asked,
                                    int answers);
    server_usage read_usage();

    transport over_;
    owned_fd listener_;
    owned_fd ask_;
    owned_fd answers_;
    server_usage before_;
    std::unique_ptr<side_process> process_;
};

}  // namespace upcall_lab
