// What an operation asks of a driver: kind, handle, buffer, offset; and the one number it answers.
#pragma once

#include <cstdint>

#include <upcall/base/buffer.hpp>
#include <upcall/base/buffer_pool.hpp>
#include <upcall/base/result.hpp>
#include <upcall/driver/address.hpp>
#include <upcall/driver/handle.hpp>
#include <upcall/op/operation.hpp>
#include <upcall/pool/pool_job.hpp>

namespace upcall {

/// The table of operations. What `data`, `size`, `offset` and the result mean for each:
enum class op_kind : std::uint8_t {
    connect,          // data: const address*. Result 0.
    accept,           // Result: a native handle, not yet wrapped.
    read,             // stream → data[size]. 0 is the end of the stream (unless size is 0).
    write,            // data[size] → stream; may be short.
    receive,          // stream → a leased buffer, of which `leased` tells. 0 is the end.
    receive_message,  // data: message*. Result: its size.
    send_message,     // data: message*. Result: bytes sent.
    poll,             // size: readiness bits to wait for. Result: the bits that hold.
    file_read,        // file at `offset` → data[size]; short at the end of the file.
    file_write,       // data[size] → file at `offset`; may be short.
    file_call,        // data: file_call_arguments*: what always blocks on files.
    work,             // data: work_arguments*: a function for the pool.
};

enum : std::uint32_t { ready_to_read = 1, ready_to_write = 2 };

/// How an operation may be done.
enum op_flags : std::uint8_t {
    op_none = 0,
    op_vectored = 1,   // read, write, file_read, file_write: data is io_slice[size]
    op_whole = 2,      // write: the caller will ask for the rest; do it in one go where possible
    op_multishot = 4,  // accept, receive: an io_source that stays armed
    op_bulk = 8,       // receive: lease a large buffer
};

/// Filled in by whoever starts it (kind, flags, target, data, size, offset) and left alone until it
/// has completed, with the buffer that it names. The rest is the driver's, but for `result` and
/// `leased`, which it leaves to the starter.
struct io_operation : operation, pool_job {
    op_kind kind{};
    /// A set of op_flags.
    std::uint8_t flags = op_none;
    /// The driver's own notes while in flight.
    std::uint16_t driver_state = 0;
    driver* via = nullptr;
    /// What it works on; null for `work`, and for calls on paths.
    handle_record* target = nullptr;
    void* data = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    /// At least 0: the value. Below: see error_from_raw. Valid once the operation is ready.
    std::int64_t result = 0;
    /// receive: the buffer that holds `result` bytes.
    std::byte* leased = nullptr;
    io_operation* driver_next = nullptr;
    /// The driver's block for it while in flight, for drivers that need more than the above.
    void* driver_block = nullptr;

    /// Whether io_source::deliver is there.
    bool is_source() const noexcept { return flags & op_multishot; }
};

/// A started request with many values and exactly one end. Each value goes to `deliver`, on the
/// loop's thread, from within the driver's poll or submit; `deliver` only files it. The end is the
/// completion of the operation, with `result` as for one that is not armed for many: a driver may
/// end a source after any value, for any reason, and then `result` is that last value.
struct io_source : io_operation {
    void (*deliver)(io_source&, std::int64_t value, std::byte* leased) noexcept = nullptr;
};

/// A datagram or a message with descriptors: where from or to, what, and what comes along.
struct message {
    /// Receiving: filled in. Sending: the destination, or family none on a connected socket.
    address peer;
    io_slice* slices = nullptr;
    std::size_t slice_count = 0;
    /// Descriptors to pass, or room for those that arrive; Unix sockets only.
    native_handle* handles = nullptr;
    std::size_t handle_count = 0;
    std::size_t handle_max = 0;
    /// Receiving: the datagram, or its descriptors, did not fit and the rest was dropped.
    bool data_truncated = false;
    bool handles_truncated = false;
    /// Room for the kernel's form of the descriptors, given by the caller when there are any.
    std::byte* control = nullptr;
    std::size_t control_size = 0;
    /// The kernel's own structures, for as long as the operation is in flight.
    alignas(16) std::byte native[208]{};
};

/// Bytes of `message::control` that are enough for this many descriptors on any system.
constexpr std::size_t message_control_room(std::size_t handles) noexcept {
    return handles == 0 ? 0 : 32 + sizeof(native_handle) * handles;
}

/// A function to run on a pool thread. `run` must not throw.
struct work_arguments {
    void (*run)(void* argument) noexcept = nullptr;
    void* argument = nullptr;
};

}  // namespace upcall
