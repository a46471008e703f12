// A reader of a site: asks for files, several at a time, and looks whether what comes back is
// right.
#pragma once

#include <functional>
#include <string_view>

#include <upcall/upcall.hpp>

#include "sim/site_board.hpp"

namespace upcall_sim {

/// The program: `visits` connections while things go wrong, `on_end_of_visits`, and then as many as
/// there is time for, while a server is busy with others and until it is stopped.
upcall::task<> read_site(site_board& board, std::string_view host, unsigned visits,
                         const std::function<void()>& on_end_of_visits);

}  // namespace upcall_sim
