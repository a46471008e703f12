// Readiness of descriptors that belong to somebody else: for libraries that make their own calls.
//
//     while (!library_done()) {
//         const auto ready = co_await readable(library_fd());
//         if (!ready) break;  // asked to stop, say: every later wait would end at once
//         library_work();
//     }
//
// Readiness is a hint: a call may still find nothing to do, as somebody else may have been there
// first. After an error or a hang-up a descriptor counts as ready for both, because no call on it
// would wait. Regular files always are.
//
// The descriptor stays its owner's, who keeps it open while somebody waits. What waits on a
// descriptor that was closed all the same may never be told (epoll(7)); what starts afterwards ends
// with bad_file_descriptor.
#pragma once

#include <utility>

#include <upcall/driver/driver.hpp>
#include <upcall/task/request.hpp>

namespace upcall {

namespace detail {

class readiness_operation : public io_operation_base {
  public:
    struct arguments {
        native_handle descriptor;  // `once`: watched for this one wait
        handle_record* watched;    // else
        std::uint32_t wanted;
        bool once;
    };
    explicit readiness_operation(arguments&& given) noexcept : given_(given) {
        ends_on_stop = true;
    }
    bool launch(context& where) noexcept;
    upcall::result<std::uint32_t> take() noexcept;

  private:
    arguments given_;
    handle once_;
};

class one_readiness_operation : public readiness_operation {
  public:
    using readiness_operation::readiness_operation;
    upcall::result<void> take() noexcept {
        auto bits = readiness_operation::take();
        if (!bits) return failure(bits.error());
        return {};
    }
};

}  // namespace detail

/// Waits until a read, or a write, on `descriptor` would not block. An idle wait: `stop` ends it
/// with `cancelled`. Errors: bad_file_descriptor; those of the driver; cancellation.
inline request<detail::one_readiness_operation> readable(native_handle descriptor) {
    return request<detail::one_readiness_operation>({descriptor, nullptr, ready_to_read, true});
}
inline request<detail::one_readiness_operation> writable(native_handle descriptor) {
    return request<detail::one_readiness_operation>({descriptor, nullptr, ready_to_write, true});
}

/// A descriptor that is waited for again and again, which costs less than asking anew each time.
/// Several may wait on one, and one descriptor may be watched several times. Belongs to the loop it
/// was made on; destroying it ends its waits with `closed`. Stop watching before the owner closes
/// the descriptor.
class watched {
  public:
    watched() = default;

    /// Watches `descriptor` on the current loop. Errors: no_loop; those of the driver.
    static result<watched> start(native_handle descriptor);

    /// Whether it watches something.
    explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

    /// As upcall::readable and upcall::writable. This must stay where its record is: open, until
    /// the completion. Errors also: closed.
    request<detail::one_readiness_operation> readable() { return wait_for(ready_to_read); }
    request<detail::one_readiness_operation> writable() { return wait_for(ready_to_write); }
    /// Whichever of `wanted`, a set of ready_to_read and ready_to_write, holds first: those that
    /// do.
    request<detail::readiness_operation> either(std::uint32_t wanted = ready_to_read |
                                                                       ready_to_write) {
        return request<detail::readiness_operation>(
            {no_native_handle, handle_.record(), wanted, false});
    }

    /// Stops watching: who waits ends with `closed`. The descriptor is its owner's, as before.
    void stop() noexcept { handle_.close(); }

  private:
    explicit watched(handle opened) noexcept : handle_(std::move(opened)) {}
    request<detail::one_readiness_operation> wait_for(std::uint32_t wanted) {
        return request<detail::one_readiness_operation>(
            {no_native_handle, handle_.record(), wanted, false});
    }

    handle handle_;
};

}  // namespace upcall
