// A channel: a bounded queue of values between tasks of one loop.
//
//     channel<job> jobs(16);
//     while (auto next = co_await jobs.receive()) work(std::move(*next));  // until it is closed
//
//     auto sent = co_await jobs.send(job{…});  // in another task; waits while it is full
//
// A value is never lost: who waits to receive and is cancelled, by a timer say, either has the
// value as its outcome or leaves it in the channel; who waits to send and is cancelled gets it
// back.
//
// Stopping a task does not end its wait on a channel, cancelling does: whoever is to finish what is
// in the channel closes it, and the receiver ends with end_of_stream.
//
// For one loop: the one on which somebody waits first. Between loops, use a loop_channel.
#pragma once

#include <expected>
#include <optional>

#include <upcall/base/ring_queue.hpp>
#include <upcall/sync/detail/line.hpp>

namespace upcall {

template <class T>
class channel;

/// A value that was not sent, and why.
template <class T>
struct unsent {
    std::error_code why;
    T value;
};

namespace detail {

template <class T>
class channel_send : public line_waiter {
  public:
    struct arguments {
        channel<T>* to;
        T value;
    };
    explicit channel_send(arguments&& given) noexcept
        : to_(given.to), value_(std::move(given.value)) {}

    bool launch(context& where) noexcept {
        if (!to_->line_of_loop().admits(*this, where)) return true;
        if (to_->closed_) {
            why_ = errc::closed;
            return true;
        }
        if (to_->put(value_)) return true;
        to_->senders_.enter(*this, where);
        return false;
    }
    std::expected<void, unsent<T>> take() noexcept {
        if (why_) return std::unexpected(unsent<T>{why_, std::move(value_)});
        return {};
    }

  private:
    friend class channel<T>;
    channel<T>* to_;
    T value_;
};

template <class T>
class channel_receive : public line_waiter {
  public:
    struct arguments {
        channel<T>* from;
    };
    explicit channel_receive(arguments&& given) noexcept : from_(given.from) {}

    bool launch(context& where) noexcept {
        if (!from_->line_of_loop().admits(*this, where)) return true;
        value_ = from_->try_receive();
        if (value_) return true;
        if (from_->closed_) {
            why_ = errc::end_of_stream;
            return true;
        }
        from_->receivers_.enter(*this, where);
        return false;
    }
    result<T> take() noexcept {
        if (why_) return failure(why_);
        return std::move(*value_);
    }

  private:
    friend class channel<T>;
    channel<T>* from_;
    std::optional<T> value_;
};

}  // namespace detail

/// T moves without throwing.
template <class T>
class channel {
  public:
    /// Room for `capacity` values; with 0, each is handed from hand to hand. Throws std::bad_alloc.
    explicit channel(std::size_t capacity) : held_(capacity) {}

    /// Hands over `value`, waiting while the channel is full. Values arrive in the order in which
    /// their sends were started. Yields std::expected<void, unsent<T>>: with an error the value is
    /// still the sender's. Errors: closed; cancellation; wrong_loop.
    request<detail::channel_send<T>> send(T value) {
        return request<detail::channel_send<T>>({this, std::move(value)});
    }

    /// The next value, waiting for it. Errors: end_of_stream when the channel is closed and empty;
    /// cancellation, and then nothing was taken; wrong_loop.
    request<detail::channel_receive<T>> receive() {
        return request<detail::channel_receive<T>>({this});
    }

    /// Hands over `value` if that needs no waiting; else leaves it as it is and returns false.
    bool try_send(T& value) noexcept { return !closed_ && put(value); }

    /// The next value if there is one.
    std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        if (!held_.empty()) value.emplace(held_.pop());
        if (senders_.empty()) return value;
        auto& first = static_cast<detail::channel_send<T>&>(senders_.front());
        if (value)
            held_.push(std::move(first.value_));
        else
            value.emplace(std::move(first.value_));
        senders_.let_go();
        return value;
    }

    /// Takes no more values. Those that are in it can still be received; who waits to send gets its
    /// value back with `closed`, who waits to receive gets end_of_stream.
    void close() noexcept {
        closed_ = true;
        while (!senders_.empty()) senders_.let_go(errc::closed);
        while (!receivers_.empty()) receivers_.let_go(errc::end_of_stream);
    }

    /// Whether `close` was called.
    bool closed() const noexcept { return closed_; }
    /// Values in it, without those of waiting senders.
    std::size_t size() const noexcept { return held_.size(); }
    std::size_t capacity() const noexcept { return held_.capacity(); }

  private:
    friend class detail::channel_send<T>;
    friend class detail::channel_receive<T>;

    /// The line that knows the channel's loop, for both ends.
    detail::line& line_of_loop() noexcept { return senders_; }

    // Somebody waits to receive only while the channel is empty, to send only while it is full.
    bool put(T& value) noexcept {
        if (!receivers_.empty()) {
            auto& first = static_cast<detail::channel_receive<T>&>(receivers_.front());
            first.value_.emplace(std::move(value));
            receivers_.let_go();
            return true;
        }
        if (held_.full() || !senders_.empty()) return false;
        held_.push(std::move(value));
        return true;
    }

    ring_queue<T> held_;
    bool closed_ = false;
    detail::line senders_{"channel", waits_for::channel};
    detail::line receivers_{"channel", waits_for::channel};
};

}  // namespace upcall
