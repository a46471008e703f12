// What every driver over POSIX descriptors has in common: the synchronous controls, the clock and
// the source of randomness. A driver derives, adds its operations, and may add to the records.
//
// Descriptors opened here are close-on-exec and non-blocking. Closing is always ::close on the
// loop's thread, after the last operation on the record has completed.
#pragma once

#include <array>

#include <upcall/driver/driver.hpp>

namespace upcall {

/// A handle's record with what the system calls have to know of the descriptor.
struct posix_record : handle_record {
    /// send(2) and recv(2) work on it; else write(2) and read(2).
    bool is_socket = false;
    /// Its blocking mode was switched off, which `release` takes back.
    bool was_blocking = true;
    /// It came from elsewhere, where its blocking mode may matter to others: `destroy` takes the
    /// switch back, too.
    bool adopted = false;
    /// A stream over a regular file or a block device: there is nothing to wait for, its calls
    /// block instead, so they are made on threads.
    bool blocks = false;

    int fd() const noexcept { return static_cast<int>(native); }
};

class posix_driver : public driver {
  public:
    using driver::driver;

    time_point now() noexcept override;
    /// From getrandom(2), a few hundred bytes at a time: unpredictable, and cheap.
    std::uint64_t random() noexcept override;

    result<handle> open_socket(address_family family, socket_type type) noexcept override;
    result<std::pair<handle, handle>> open_pair(socket_type type) noexcept override;
    result<std::pair<handle, handle>> open_pipe() noexcept override;
    result<void> bind(handle_record& target, const address& where) noexcept override;
    result<void> listen(handle_record& target, int backlog) noexcept override;
    result<address> local_address(handle_record& target) noexcept override;
    result<address> peer_address(handle_record& target) noexcept override;
    result<void> set_option(handle_record& target, socket_option which,
                            std::int64_t value) noexcept override;
    result<std::int64_t> get_option(handle_record& target, socket_option which) noexcept override;
    result<void> shut_down(handle_record& target, shut direction) noexcept override;
    result<void> set_membership(handle_record& target, const address& group,
                                std::uint32_t interface_number, bool member) noexcept override;
    result<peer_identity> identify_peer(handle_record& target) noexcept override;
    result<handle> adopt(native_handle native, handle_kind kind) noexcept override;
    result<handle> adopt_accepted(native_handle native) noexcept override;
    result<native_handle> release(handle& from) noexcept override;

  protected:
    std::int64_t destroy(handle_record& target) noexcept override;

    /// A new record of the driver's own type; may throw std::bad_alloc.
    virtual posix_record* make_record() = 0;
    /// Frees what make_record made; the descriptor is closed or given away.
    virtual void free_record(posix_record& record) noexcept = 0;
    /// Takes note of a new record, its members set. Returns 0, or a raw error, and then neither
    /// `detach` nor anything else is called for it but `free_record`.
    virtual std::int64_t attach(posix_record& record) noexcept {
        static_cast<void>(record);
        return 0;
    }
    /// The record's descriptor is about to be closed or given away.
    virtual void detach(posix_record& record) noexcept { static_cast<void>(record); }

    static posix_record& record_of(handle_record& target) noexcept {
        return static_cast<posix_record&>(target);
    }

  private:
    result<handle> wrap(int fd, handle_kind kind, bool is_socket, bool was_blocking,
                        bool blocks = false) noexcept;
    result<handle> wrap_or_close(int fd, handle_kind kind, bool is_socket) noexcept;
    result<std::pair<handle, handle>> wrap_both(const int (&fds)[2], handle_kind kind,
                                                bool is_socket) noexcept;

    std::array<std::uint64_t, 32> random_{};
    std::size_t random_left_ = 0;
};

}  // namespace upcall
