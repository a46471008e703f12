// Takes connections in while there is room for them.
#pragma once

#include <upcall/upcall.hpp>

#include "serve/loop_server.hpp"

namespace upcall_serve {

// Accepts and serves until asked to stop. While the server is full, one peer is kept in hand and
// all others wait in the kernel's queue: idle connections are ended to make room, and those that
// are busy end after their response. When asked to stop it serves who is in that queue, too: they
// have connected, and may have sent a request.
upcall::task<> accept_all(loop_server& server, upcall::tcp::listener listener,
                          upcall::scope& connections);

}  // namespace upcall_serve
