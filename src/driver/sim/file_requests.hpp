// What takes its time and then happens all at once: reads and writes of files, calls on paths,
// functions for the pool.
#pragma once

#include "request.hpp"

namespace upcall::sim {

/// Whether operations of this kind are planned (request::plan) instead of waiting in an object.
bool is_planned(op_kind kind) noexcept;

/// Does it now and returns its raw outcome.
std::int64_t perform_planned(request& made);

}  // namespace upcall::sim
