// The sockets that a server listens on.
#pragma once

#include <upcall/upcall.hpp>

#include <string>
#include <vector>

#include <upcall/os/descriptor.hpp>

#include "serve/options.hpp"
#include "serve/socket_files.hpp"

namespace upcall_serve {

struct listeners {
    std::vector<std::vector<upcall::descriptor>> by_loop;
    std::vector<upcall::address> addresses;  // with the ports that were chosen
};

// Listens on every address of `settings`, for each of `loops` loops. A Unix socket's file that
// nobody listens behind is replaced, and each new one noted in `files`. The error says where and
// why. Call it on a loop, which need not be one of those.
upcall::task<std::expected<listeners, std::string>> open_listeners(const options& settings,
                                                                   unsigned loops,
                                                                   socket_files& files);

}  // namespace upcall_serve
