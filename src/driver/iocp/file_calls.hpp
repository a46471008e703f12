// Calls on files that always block, in terms of Windows.
#pragma once

#include <cstdint>

#include <upcall/driver/file_call.hpp>

namespace upcall {

/// Does the call and returns its raw outcome. Any thread; `target` may be null where the call names
/// a path. `copy` and open_beneath are unsupported: Windows has nothing that keeps a path beneath a
/// directory against reparse points.
std::int64_t run_file_call(const file_call_arguments& asked, handle_record* target) noexcept;

}  // namespace upcall
