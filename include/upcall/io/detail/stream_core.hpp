// The pinned half of a connected byte stream: who waits to read, who waits to write, and the one
// operation per direction that the driver works on. This is where order is kept.
//
// Reading. Waiters are served first in, first out. Whoever wants a lease arms the receive
// operation, which stays armed (multishot) where the driver can and keeps what it brings in
// `received_` until somebody asks; past `received_max` it is disarmed, so a reader that falls
// behind costs bounded memory. While the loop runs low on buffers a single one is too many: those
// that nobody reads must not keep them from all others. Whoever brings a buffer reads straight into
// it, after what is queued was copied. Cancelling a waiter that has no call of its own in the
// kernel takes it out of the queue and nothing else: what arrives stays for the next.
//
// Leaving. A stream with nobody waiting can be taken off its loop: the receive operation is
// disarmed, and what it had brought goes along.
//
// Writing. Waiters are written one after the other, each whole if it asked so. When one ends
// before its last byte, those already queued behind it fail: their bytes would follow a gap.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <upcall/base/buffer_pool.hpp>
#include <upcall/driver/io_operation.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

class stream_core;

/// Where a waiter's bytes are, or what it waits for instead.
enum class waiter_form : std::uint8_t {
    buffer,
    slices,
    message,   // one buffer, in the message's only slice, with descriptors
    lease,     // reading: wants what was received; has no room of its own
    shutdown,  // writing: ends the direction when its turn has come
};

/// One who waits on a stream, linked by `ready_next` while it does. Small, for it is part of the
/// frame of every task that waits on a quiet connection.
struct stream_waiter : operation {
    bool finished = false;
    bool launching = false;
    bool whole = false;  // not done before the last byte, or an error
    waiter_form form = waiter_form::buffer;
    stream_core* core = nullptr;
    /// The raw result of its last step.
    std::int64_t outcome = 0;
    /// All its bytes so far.
    std::size_t done = 0;

    bool settle() noexcept { return true; }
};

struct read_waiter : stream_waiter {
    union {
        std::byte* into = nullptr;
        io_slice* slices;
        message* content;
        std::byte* block;  // the leased one, once there is something in it
    };
    /// Bytes of the buffer, number of slices; or where the bytes begin in the leased block.
    std::size_t want = 0;

    /// Skips empty pieces in front, which a kernel that takes some of them would call the end.
    bool wants_nothing() noexcept;
};

struct write_waiter : stream_waiter {
    union {
        const std::byte* data = nullptr;
        io_slice* slices;  // consumed as they are written
        message* content;  // until its first byte has gone
    };
    /// Bytes of the buffer, or number of slices.
    std::size_t left = 0;
};

/// The operation that reads for a stream: a part of its core, found again by a cast.
struct stream_reading : io_source {};

class stream_core final : recycled, stream_reading {
  public:
    using recycled::operator new;
    using recycled::operator delete;

    /// Operations that may wait per direction before further ones are refused with queue_full.
    static constexpr std::uint16_t waiting_max = 64;
    /// Leases that may wait for a reader before the receive operation is disarmed.
    static constexpr std::size_t received_max = 16;

    stream_core(loop& home, handle&& file) noexcept;
    stream_core(const stream_core&) = delete;
    stream_core& operator=(const stream_core&) = delete;

    /// The owner lets go: closes the handle, ends the waiters with `closed`. The core frees itself
    /// when the last operation is done.
    void abandon() noexcept;

    /// Starts a waiter; true when it is finished already (and idle again).
    bool launch_read(read_waiter& waiter, context& where) noexcept;
    bool launch_write(write_waiter& waiter, context& where) noexcept;

    /// Waits until the stream has nothing in flight any more; fails at once when somebody waits.
    bool launch_leave(stream_waiter& waiter, context& where) noexcept;

    loop& home() const noexcept { return *home_; }
    handle& file() noexcept { return file_; }
    handle_record& record() noexcept { return *file_.record(); }
    bool idle() const noexcept {
        return readers_.empty() && writers_.empty() && reading().state == op_state::idle &&
               !writing_ && received_.empty();
    }

    /// After `launch_leave`: what was received and not asked for, and how the stream had ended, or
    /// 0. Throws std::bad_alloc, and then nothing was taken.
    std::vector<std::byte> take_received();
    std::int64_t take_end() noexcept { return std::exchange(ended_, 0); }
    /// The reverse, on a fresh core. False: there are not enough free buffers.
    bool put_received(byte_view bytes, std::int64_t end);

  private:
    using waiter_queue = queue<ready_node, &ready_node::ready_next>;

    struct write_operation final : io_operation, recycled {
        stream_core* core = nullptr;
    };
    /// What `reading` is in the middle of.
    enum class reading_mode : std::uint8_t { none, receive, direct };

    stream_reading& reading() noexcept { return *this; }
    const stream_reading& reading() const noexcept { return *this; }
    static stream_core& core_of(stream_reading& part) noexcept {
        return static_cast<stream_core&>(part);
    }

    bool admit(stream_waiter& waiter, context& where, std::uint16_t waiting) noexcept;
    void finish(stream_waiter& waiter, std::int64_t outcome) noexcept;
    void end_completion() noexcept;

    void pump_reads() noexcept;
    bool awaits_receive(const read_waiter& waiter) const noexcept;
    bool serve(read_waiter& waiter) noexcept;
    void hand_over(read_waiter& waiter, std::byte* block, std::size_t count) noexcept;
    std::size_t copy_out(read_waiter& waiter, byte_view from) noexcept;
    void arm_receive() noexcept;
    void disarm_receive_of_others() noexcept;
    void start_direct(read_waiter& waiter) noexcept;
    void reading_ended() noexcept;
    void received(std::int64_t value, std::byte* block) noexcept;
    void adapt(std::int64_t value) noexcept;
    void finish_read(read_waiter& waiter, std::int64_t outcome) noexcept;
    static void cancel_read(operation& op) noexcept;

    void pump_writes() noexcept;
    bool prepare_writing() noexcept;
    bool start_write(write_waiter& waiter) noexcept;
    void writing_ended() noexcept;
    bool wrote(write_waiter& waiter, std::int64_t outcome) noexcept;
    void finish_write(write_waiter& waiter, std::int64_t outcome) noexcept;
    static void cancel_write(operation& op) noexcept;

    void left() noexcept;
    static void cancel_leave(operation& op) noexcept;

    void hold() noexcept { ++references_; }
    void drop() noexcept {
        if (--references_ == 0) delete this;
    }
    ~stream_core() { received_.clear(home_->buffers()); }

    loop* home_;
    handle file_;
    std::uint32_t references_ = 1;
    std::uint16_t readers_waiting_ = 0;
    std::uint16_t writers_waiting_ = 0;
    reading_mode mode_ = reading_mode::none;
    bool pumping_ = false;
    bool completing_ = false;
    bool bulk_ = false;
    /// Descriptors may come: nothing is received that nobody has asked for, which would lose them.
    bool one_by_one_ = false;
    std::uint8_t streak_ = 0;
    bool abandoned_ = false;
    /// The end of a receive that no reader has been told of yet: a raw error, or 0.
    std::int64_t ended_ = 0;

    waiter_queue readers_;
    waiter_queue writers_;
    /// Exists while somebody writes: most streams are quiet most of the time.
    write_operation* writing_ = nullptr;
    lease_queue received_;
    stream_waiter* runs_next_ = nullptr;
    stream_waiter* leaving_ = nullptr;
};

}  // namespace upcall::detail
