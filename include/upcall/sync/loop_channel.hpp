// A channel between loops: one loop receives, tasks of any loop and plain threads send.
//
//     loop_channel<job> jobs(co_await this_task::home(), 64);  // on the loop that receives
//     std::jthread other([to = jobs.sender()] { … to.try_send(one) … });
//     while (auto next = co_await jobs.receive()) work(std::move(*next));
//
// Stopping a task does not end its wait to send or to receive, cancelling does.
//
// Bounded: a task that sends into a full channel waits on its own loop. Sending allocates nothing
// and takes no lock; the receiver's loop is woken only when somebody waits there.
#pragma once

#include <expected>
#include <optional>

#include <upcall/sync/channel.hpp>
#include <upcall/sync/detail/crossing_ring.hpp>
#include <upcall/sync/detail/loop_channel_core.hpp>

namespace upcall {

namespace detail {

template <class T>
class loop_channel_core_of;

template <class T>
class loop_channel_send : public crossing_send {
  public:
    struct arguments {
        loop_channel_core_of<T>* to;
        T value;
    };
    explicit loop_channel_send(arguments&& given) noexcept
        : crossing_send(*given.to), value_(std::move(given.value)) {}

    using crossing_send::launch;
    std::expected<void, unsent<T>> take() noexcept {
        if (why_) return std::unexpected(unsent<T>{why_, std::move(value_)});
        return {};
    }

  private:
    friend class loop_channel_core_of<T>;
    T value_;
};

template <class T>
class loop_channel_receive : public loop_channel_core::receive_base {
  public:
    struct arguments {
        loop_channel_core_of<T>* from;
    };
    explicit loop_channel_receive(arguments&& given) noexcept : from_(given.from) {}

    bool launch(context& where) noexcept { return launch_on(*from_, where); }
    result<T> take() noexcept {
        if (why_) return failure(why_);
        return std::move(*value_);
    }

  private:
    friend class loop_channel_core_of<T>;
    loop_channel_core_of<T>* from_;
    std::optional<T> value_;
};

template <class T>
class loop_channel_core_of final : public loop_channel_core {
  public:
    loop_channel_core_of(loop& home, std::size_t capacity)
        : loop_channel_core(home), ring_(capacity) {}

    void add_first_sender() noexcept {
        had_senders_ = true;
        add_sender();
    }

  private:
    void destroy() noexcept override { delete this; }
    bool push(void* value) noexcept override { return ring_.push(*static_cast<T*>(value)); }
    bool ready() const noexcept override { return ring_.ready(); }
    void pop_into(receive_base& receiver) noexcept override {
        static_cast<loop_channel_receive<T>&>(receiver).value_.emplace(ring_.pop());
    }
    void* value_of(crossing_send& sender) noexcept override {
        return &static_cast<loop_channel_send<T>&>(sender).value_;
    }

    crossing_ring<T> ring_;
};

}  // namespace detail

/// The sending end. Copies may be made, used and destroyed on any thread at any time, also when the
/// channel or its loop is gone. When the last one is destroyed the channel ends.
template <class T>
class remote_sender {
  public:
    remote_sender(const remote_sender& other) noexcept : core_(other.core_) {
        core_->hold();
        core_->add_sender();
    }
    remote_sender(remote_sender&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    remote_sender& operator=(remote_sender other) noexcept {
        std::swap(core_, other.core_);
        return *this;
    }
    ~remote_sender() {
        if (!core_) return;
        core_->drop_sender();
        core_->drop();
    }

    /// Hands over `value`; a task of any loop waits, on its own loop, while the channel is full.
    /// Values of one task arrive in the order in which it sent them. Yields
    /// std::expected<void, unsent<T>>: with an error the value is still the sender's. Errors:
    /// closed, when nobody will receive it; cancellation. A value that was handed over is destroyed
    /// with the channel if nobody receives it before.
    request<detail::loop_channel_send<T>> send(T value) const {
        return request<detail::loop_channel_send<T>>({core_, std::move(value)});
    }

    /// Hands over `value` if there is room, from any thread; else leaves it as it is and returns
    /// queue_full, or closed.
    result<void> try_send(T& value) const noexcept {
        if (core_->closed()) return failure(errc::closed);
        if (!core_->try_send(&value)) return failure(errc::queue_full);
        return {};
    }

  private:
    template <class>
    friend class loop_channel;
    explicit remote_sender(detail::loop_channel_core_of<T>* core) noexcept : core_(core) {
        core_->hold();
    }

    detail::loop_channel_core_of<T>* core_;
};

/// The receiving end; belongs to one loop and is used and destroyed there, before the loop is. T
/// moves without throwing.
template <class T>
class loop_channel {
  public:
    /// On `home`'s thread; room for at least `capacity` values. Throws std::bad_alloc.
    loop_channel(loop& home, std::size_t capacity)
        : core_(new detail::loop_channel_core_of<T>(home, capacity)) {}
    loop_channel(const loop_channel&) = delete;
    loop_channel& operator=(const loop_channel&) = delete;
    /// Closes: who waits to receive gets end_of_stream.
    ~loop_channel() {
        core_->close();
        core_->drop();
    }

    /// A first sending end, or one more. For the loop's thread; it may be given to any other.
    remote_sender<T> sender() {
        core_->add_first_sender();
        return remote_sender<T>(core_);
    }

    /// The next value, waiting for it. Errors: end_of_stream when all senders are gone, or it was
    /// closed, and nothing is left; cancellation, and then nothing was taken; wrong_loop.
    request<detail::loop_channel_receive<T>> receive() {
        return request<detail::loop_channel_receive<T>>({core_});
    }

    /// Takes no more values. What was handed over before can still be received; who waits to send
    /// gets its value back with `closed`.
    void close() noexcept { core_->close(); }

  private:
    detail::loop_channel_core_of<T>* core_;
};

}  // namespace upcall
