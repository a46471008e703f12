// Reading, writing and copying files, by calls that may block.
#pragma once

#include <upcall/driver/file_call.hpp>
#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// file_read and file_write at op.offset, vectored or not; may be short.
std::int64_t transfer_at_offset(io_operation& op) noexcept;

/// read, write and receive at the descriptor's own position. `receive` takes its buffer from
/// `op.leased`, a large one of the pool that the caller has put there, as the pool of buffers is
/// the loop's alone; the caller also takes it back if nothing was read.
std::int64_t transfer_at_position(io_operation& op) noexcept;

/// Copies up to asked.size bytes between positions of two files: bytes copied, 0 at the end of the
/// source. One call copies no more than `copy_bytes_max`, so that it stays short.
std::int64_t copy_range(int from, const file_call_arguments& asked) noexcept;
inline constexpr std::uint64_t copy_bytes_max = std::uint64_t{256} << 20;

}  // namespace upcall
