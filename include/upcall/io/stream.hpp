// A connected byte stream: what TCP streams, Unix streams and pipes have in common.
//
//     while (auto chunk = co_await peer.receive()) {
//         const auto sent = co_await peer.write_all(*chunk);
//         if (!sent) break;
//     }
//
// Order: reads take effect in the order in which they were started, and so do writes, never
// interleaved; `write_all` counts as one write. At most 64 may wait per direction (queue_full).
// Cancelling a read or a write that has not moved a byte leaves the stream as it was.
//
// A stream belongs to the loop it was made on and is used there alone. Destroying it ends what is
// in flight with `closed` and closes; buffers must still live until those operations completed.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <upcall/base/buffer.hpp>
#include <upcall/io/detail/close_operation.hpp>
#include <upcall/io/detail/owners.hpp>
#include <upcall/io/detail/stream_core.hpp>
#include <upcall/os/descriptor.hpp>
#include <upcall/task/request.hpp>

namespace upcall {

class byte_stream;

/// What a stream is without its loop: on its way to another one, or out of upcall. May move
/// between threads.
struct detached_stream {
    /// The connection itself, in blocking mode.
    descriptor socket;
    /// Bytes that had arrived and that nobody had read.
    std::vector<std::byte> received;
    /// Nonzero when the end, or an error, had arrived after them: see error_from_raw.
    std::int64_t end = 0;
};

namespace detail {

class read_operation : public read_waiter {
  public:
    struct arguments {
        stream_core* core;
        byte_span buffer;
        std::span<io_slice> pieces;
    };
    explicit read_operation(arguments&& given) noexcept {
        core = given.core;
        if (given.pieces.empty()) {
            into = given.buffer.data();
            want = given.buffer.size();
        } else {
            form = waiter_form::slices;
            slices = given.pieces.data();
            want = given.pieces.size();
        }
    }
    bool launch(context& where) noexcept;
    result<std::size_t> take() const noexcept {
        if (outcome < 0) return failure(error_from_raw(outcome));
        return done;
    }
};

class read_exactly_operation : public read_operation {
  public:
    explicit read_exactly_operation(arguments&& given) noexcept : read_operation(std::move(given)) {
        whole = true;
    }
    transfer take() const noexcept;
};

class receive_operation : public read_waiter {
  public:
    struct arguments {
        stream_core* core;
        bool idle;
    };
    explicit receive_operation(arguments&& given) noexcept {
        core = given.core;
        form = waiter_form::lease;
        ends_on_stop = given.idle;
    }
    ~receive_operation() {
        if (block) owner->home().buffers().give_back(block);
    }
    bool launch(context& where) noexcept;
    result<lease> take() noexcept {
        if (outcome < 0) return failure(error_from_raw(outcome));
        // Its loop is asked for the pool, not its stream: that one may be closed by now.
        return lease(owner->home().buffers(), std::exchange(block, nullptr), want + done, want);
    }
};

class write_operation : public write_waiter {
  public:
    struct arguments {
        stream_core* core;
        byte_view buffer;
        std::span<io_slice> pieces;
    };
    explicit write_operation(arguments&& given) noexcept {
        core = given.core;
        if (given.pieces.empty()) {
            data = given.buffer.data();
            left = given.buffer.size();
        } else {
            form = waiter_form::slices;
            slices = given.pieces.data();
            left = given.pieces.size();
        }
    }
    bool launch(context& where) noexcept;
    result<std::size_t> take() const noexcept {
        if (outcome < 0) return failure(error_from_raw(outcome));
        return done;
    }
};

class write_all_operation : public write_operation {
  public:
    explicit write_all_operation(arguments&& given) noexcept : write_operation(std::move(given)) {
        whole = true;
    }
    transfer take() const noexcept {
        return {done, outcome < 0 ? error_from_raw(outcome) : std::error_code{}};
    }
};

class shut_down_operation : public write_waiter {
  public:
    struct arguments {
        stream_core* core;
    };
    explicit shut_down_operation(arguments&& given) noexcept {
        core = given.core;
        form = waiter_form::shutdown;
    }
    bool launch(context& where) noexcept;
    result<void> take() const noexcept {
        if (outcome < 0) return failure(error_from_raw(outcome));
        return {};
    }
};

class detach_operation : public stream_waiter {
  public:
    struct arguments {
        byte_stream* from;
    };
    explicit detach_operation(arguments&& given) noexcept : from_(given.from) {}
    bool launch(context& where) noexcept;
    result<detached_stream> take();

  private:
    byte_stream* from_;
};

}  // namespace detail

/// Move-only; empty when default-made, moved from, closed, detached or released. Requests refer to
/// the stream and to the buffers that they are given; both stay until the completion. On an empty
/// stream every operation ends with `closed`.
class byte_stream : public detail::core_owner<detail::stream_core> {
  public:
    byte_stream() = default;
    /// Takes a handle of kind `stream`, opened on `home`'s driver. Throws std::bad_alloc, and then
    /// leaves it.
    byte_stream(loop& home, handle&& file)
        : core_owner(new detail::stream_core(home, std::move(file))) {}

    /// Some bytes, at least one, at most what fits: how many, result<std::size_t>. An empty buffer
    /// completes with 0 and says nothing about the stream. Errors: end_of_stream, those of recv(2),
    /// cancellation (then no byte was taken).
    request<detail::read_operation> read(byte_span buffer) {
        return request<detail::read_operation>({core_, buffer, {}});
    }
    /// The same into several pieces, in order. `pieces` must stay until the completion.
    request<detail::read_operation> read(std::span<io_slice> pieces) {
        return request<detail::read_operation>({core_, {}, pieces});
    }

    /// Fills the buffer. Yields a `transfer`, which tells how many bytes came; with fewer, the
    /// cause: end_of_stream when there was none at all, unexpected_end after some, or what went
    /// wrong.
    request<detail::read_exactly_operation> read_exactly(byte_span buffer) {
        return request<detail::read_exactly_operation>({core_, buffer, {}});
    }

    /// What has arrived, result<lease>: in a buffer of the driver's, leased only once there is
    /// something in it. This is an idle read: `stop` ends it with `cancelled`. Use `receive_more`
    /// inside a message.
    request<detail::receive_operation> receive() {
        return request<detail::receive_operation>({core_, true});
    }
    /// As `receive`, but goes on when asked to stop: the rest of work in hand.
    request<detail::receive_operation> receive_more() {
        return request<detail::receive_operation>({core_, false});
    }

    /// Some of the buffer, as much as the stream takes in one go: how many bytes,
    /// result<std::size_t>.
    request<detail::write_operation> write(outgoing buffer) {
        return request<detail::write_operation>({core_, buffer, {}});
    }

    /// All of the buffer, or the cause why not and how many bytes went: a `transfer`. Never
    /// interleaved with other writes. When it ends in the middle, writes already waiting behind it
    /// fail with broken_stream.
    request<detail::write_all_operation> write_all(outgoing buffer) {
        return request<detail::write_all_operation>({core_, buffer, {}});
    }
    /// The same for pieces, in order. `pieces` is used up: it must stay until the completion, and
    /// is changed.
    request<detail::write_all_operation> write_all(std::span<io_slice> pieces) {
        return request<detail::write_all_operation>({core_, {}, pieces});
    }

    /// Ends the writing direction after what is queued: the peer reads to the end of the stream.
    /// Sockets only: elsewhere it fails with not_a_socket; a pipe's writer ends when it is closed.
    /// Yields result<void>.
    request<detail::shut_down_operation> shut_down_writing() {
        return request<detail::shut_down_operation>({core_});
    }

    /// Refuses further input at once: waiting and later reads meet the end of the stream after what
    /// has arrived already. The peer is not told (shutdown(2)). Sockets only.
    result<void> shut_down_reading();

    /// Closes and waits until the kernel has let go. What is in flight ends with `closed`, before
    /// this does. Cannot be cancelled. The stream is empty from the start of it on. Errors: those
    /// of close(2), which closed it all the same. Yields result<void>.
    request<detail::close_operation<byte_stream>> close() {
        return request<detail::close_operation<byte_stream>>({this});
    }

    /// Sets or reads an option; see socket_option.
    result<void> set_option(socket_option which, std::int64_t value);
    result<std::int64_t> option(socket_option which);

    /// The native descriptor, which the caller now owns; the stream is empty afterwards. Error:
    /// device_or_resource_busy while operations are in flight or received bytes wait here. A
    /// `receive` stays armed in the kernel after it was answered; `detach` knows how to end it.
    result<native_handle> release();

    /// Takes the connection off this loop, with what has arrived, so that another can `attach` it.
    /// The stream must stay where it is until then, and is empty afterwards. Error:
    /// device_or_resource_busy while reads or writes wait. Yields result<detached_stream>. After an
    /// error, or cancelled, the stream is as it was.
    request<detail::detach_operation> detach() { return request<detail::detach_operation>({this}); }

    /// A stream on the current loop, of any kind of connection. On error `from` keeps it. Errors:
    /// no_loop; no_buffer_space when what it had received finds no free buffers; those of the
    /// driver.
    static result<byte_stream> attach(detached_stream& from);

    /// The loop it belongs to. Fatal on an empty stream.
    loop& home() const noexcept {
        if (!core_) [[unlikely]]
            fatal("byte_stream::home was asked of an empty stream: a closed one has no loop");
        return core_->home();
    }

  protected:
    detail::stream_core* core() const noexcept { return core_; }

    /// `attach`, for each kind of stream.
    template <class Stream>
    static result<Stream> attach_as(detached_stream& from) {
        auto made = detail::adopt_owner<Stream>(from.socket.get(), handle_kind::stream);
        if (!made) return made;
        if (auto taken = made->take_over(from); !taken) return failure(taken.error());
        return made;
    }

  private:
    friend class detail::detach_operation;
    friend class detail::close_operation<byte_stream>;
    result<void> take_over(detached_stream& from) noexcept;
};

}  // namespace upcall
