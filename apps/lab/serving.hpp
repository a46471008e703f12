// What runs inside an echo server's process.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace upcall_lab {

/// The work of one message besides its I/O: looks at a table that fits into the fastest cache as
/// long as nobody else uses that. Any thread.
void work_on(char* message, std::size_t size) noexcept;
/// Before any message: `work_on` does nothing from now on.
void leave_work_out() noexcept;

/// Serves the sockets until the process is killed; `ready` is called when all are being served.
/// Throws lab_error.
void serve_by_threads(const std::vector<int>& sockets, const std::function<void()>& ready);
void serve_by_epoll(const std::vector<int>& sockets, const std::function<void()>& ready);
void serve_by_upcall(const std::string& driver, bool is_tcp, const std::vector<int>& sockets,
                     const std::function<void()>& ready);

}  // namespace upcall_lab
