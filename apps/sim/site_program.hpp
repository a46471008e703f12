// `upcall serve` in the simulated kernel: a site on a simulated disk, whose files are replaced now
// and then, and whose server is stopped now and then in the middle of its work.
#pragma once

#include <upcall/upcall.hpp>

#include "sim/site_board.hpp"

namespace upcall_sim {

/// The program. It ends when it has served on a calm day, too (site_board::calm).
upcall::task<> serve_site(site_board& board);

}  // namespace upcall_sim
