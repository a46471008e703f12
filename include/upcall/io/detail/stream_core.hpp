// The pinned half of a connected byte stream: who waits to read, who waits to write, and the one
// operation per direction that the driver works on. This is where order is kept.
//
// Reading. Waiters are served first in, first out. Whoever wants a lease arms the receive
// operation, which stays armed (multishot) where the driver can and keeps what it brings in
// `received_` until somebody asks; past `received_max` it is disarmed, so a reader that falls
// behind costs bounded memory. Whoever brings a buffer reads straight into it, after what is queued
// was copied. Cancelling a waiter that has no call of its own in the kernel takes it out of the
// queue and nothing else: what arrives stays for the next.
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

/// One who waits on a stream. `outcome` is the raw result of its last step, `done` all its bytes.
struct stream_waiter : operation {
    stream_core* core = nullptr;
    stream_waiter* next_waiting = nullptr;
    std::int64_t outcome = 0;
    std::size_t done = 0;
    bool finished = false;
    bool launching = false;

    bool settle() noexcept { return true; }
};

struct read_waiter : stream_waiter {
    lease taken;
    std::byte* into = nullptr;
    io_slice* slices = nullptr;  // instead of into
    std::size_t want = 0;        // bytes of into, or number of slices
    message* content = nullptr;  // reads `into` with the descriptors that come along
    bool leases = false;         // wants what was received in `taken`; has no room of its own
    bool exactly = false;

    bool wants_nothing() noexcept;
};

struct write_waiter : stream_waiter {
    const std::byte* data = nullptr;
    io_slice* slices = nullptr;  // instead of data; consumed as they are written
    std::size_t left = 0;        // bytes of data, or number of slices
    message* content = nullptr;  // the first byte of data goes with these descriptors
    bool whole = false;
    bool shutdown = false;  // not a write: ends the direction when its turn has come
};

class stream_core final : recycled {
  public:
    using recycled::operator new;
    using recycled::operator delete;

    /// Operations that may wait per direction before further ones are refused with queue_full.
    static constexpr std::uint16_t waiting_max = 64;
    /// Leases that may wait for a reader before the receive operation is disarmed.
    static constexpr std::size_t received_max = 16;

    stream_core(loop& home, handle file) noexcept;
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
        return readers_.empty() && writers_.empty() && reading_.state == op_state::idle &&
               writing_.state == op_state::idle && received_.size() == received_first_;
    }

    /// After `launch_leave`: what was received and not asked for, and how the stream had ended, or
    /// 0. Throws std::bad_alloc, and then nothing was taken.
    std::vector<std::byte> take_received();
    std::int64_t take_end() noexcept { return std::exchange(ended_, 0); }
    /// The reverse, on a fresh core. False: there are not enough free buffers.
    bool put_received(byte_view bytes, std::int64_t end);

  private:
    using reader_queue = queue<stream_waiter, &stream_waiter::next_waiting>;

    struct receive_source final : io_source {
        stream_core* core = nullptr;
    };
    struct write_operation final : io_operation {
        stream_core* core = nullptr;
    };
    /// What `reading_` is in the middle of.
    enum class reading_mode : std::uint8_t { none, receive, direct };

    bool admit(stream_waiter& waiter, context& where, std::uint16_t waiting) noexcept;
    void finish(stream_waiter& waiter, std::int64_t outcome) noexcept;
    void end_completion() noexcept;

    void pump_reads() noexcept;
    bool serve(read_waiter& waiter) noexcept;
    std::size_t copy_out(read_waiter& waiter, byte_view from) noexcept;
    void arm_receive() noexcept;
    void start_direct(read_waiter& waiter) noexcept;
    void reading_ended() noexcept;
    void received(std::int64_t value, std::byte* leased) noexcept;
    void adapt(std::int64_t value) noexcept;
    void finish_read(read_waiter& waiter, std::int64_t outcome) noexcept;
    static void cancel_read(operation& op) noexcept;

    void pump_writes() noexcept;
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
    ~stream_core() = default;

    loop* home_;
    handle file_;
    std::uint32_t references_ = 1;
    std::uint16_t readers_waiting_ = 0;
    std::uint16_t writers_waiting_ = 0;
    reading_mode mode_ = reading_mode::none;
    bool pumping_ = false;
    bool completing_ = false;
    bool bulk_ = false;
    std::uint8_t streak_ = 0;
    bool abandoned_ = false;
    /// The end of a receive that no reader has been told of yet: a raw error, or 0.
    std::int64_t ended_ = 0;

    reader_queue readers_;
    reader_queue writers_;
    receive_source reading_;
    write_operation writing_;
    std::vector<lease> received_;
    std::size_t received_first_ = 0;
    stream_waiter* runs_next_ = nullptr;
    stream_waiter* leaving_ = nullptr;
};

}  // namespace upcall::detail
