// The driver for Windows' I/O completion ports.
//
// Completions are the kernel's own here, as with io_uring: WSARecv, WSASend, AcceptEx, ConnectEx,
// ReadFile and WriteFile are started overlapped, GetQueuedCompletionStatusEx brings their packets
// in batches. What always blocks goes to the pool of threads.
//
// `receive` keeps no buffer while it waits: a read of no bytes completes when there is something to
// read, and then a buffer is leased and filled without waiting. Pipes lease at the start, since a
// read of no bytes means a message there.
//
// One operation per direction of a stream is in the kernel's hands at a time, the next follows it:
// so their order holds although a read of no bytes claims nothing.
//
// A handle is bound to the port of its driver for ever. What `release` gives out can be used
// without a port, but no other driver can adopt it; accepted sockets are bound when they are
// adopted, on whichever loop.
//
// Not done: datagrams and messages, readiness of foreign descriptors, Unix addresses.
#pragma once

#include <atomic>
#include <memory>
#include <random>

#include <upcall/driver/driver.hpp>
#include <upcall/pool/blocking_pool.hpp>

#include "driver/iocp/block.hpp"
#include "driver/iocp/winsock.hpp"

namespace upcall::iocp {

using block_queue = list<block, in_queue>;

struct iocp_handle : handle_record {
    bool is_socket = false;
    bool bound = false;
    /// shut_down was called for reading: what still waits to read finds the end.
    bool reading_shut = false;
    address_family family = address_family::none;
    list<block, on_handle> blocks;
    /// The first of each is at work, the others wait for it.
    block_queue readers;
    block_queue writers;

    HANDLE file() const noexcept { return reinterpret_cast<HANDLE>(native); }
    SOCKET socket() const noexcept { return static_cast<SOCKET>(native); }
};

class iocp_driver final : public driver {
  public:
    iocp_driver(const driver_environment& lent, HANDLE port, const winsock& functions);
    ~iocp_driver() override;

    std::string_view name() const noexcept override { return "iocp"; }

    void cancel(io_operation& op) noexcept override;
    void poll(time_point deadline) noexcept override;
    void wake() noexcept override;
    time_point now() noexcept override { return clock::now(); }
    std::uint64_t random() noexcept override { return chance_(); }
    void buffers_refilled() noexcept override { refilled_ = true; }

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
    result<handle> adopt(native_handle native, handle_kind kind) noexcept override;
    result<native_handle> release(handle& from) noexcept override;

  protected:
    bool submit(io_operation& op) noexcept override;
    void cancel_all(handle_record& target) noexcept override;
    std::int64_t destroy(handle_record& target) noexcept override;

  private:
    /// What starting or continuing a block came to.
    struct step {
        enum { under_way, done } state;
        std::int64_t outcome;
    };
    static constexpr step under_way{step::under_way, 0};
    static step done(std::int64_t outcome) noexcept { return {step::done, outcome}; }

    // Starting: the call that a kind of operation is made of.
    step begin(block& made) noexcept;
    step begin_connect(block& made) noexcept;
    step begin_accept(block& made) noexcept;
    step begin_stream_read(block& made) noexcept;
    step begin_stream_write(block& made) noexcept;
    step begin_receive(block& made) noexcept;
    step begin_file(block& made) noexcept;

    // Continuing: what its packet brought.
    step go_on(block& made, DWORD error, DWORD bytes) noexcept;
    step go_on_connect(block& made, DWORD error) noexcept;
    step go_on_accept(block& made, DWORD error) noexcept;
    step go_on_read(block& made, DWORD error, DWORD bytes) noexcept;
    step go_on_receive(block& made, DWORD error, DWORD bytes) noexcept;
    step go_on_write(block& made, DWORD error, DWORD bytes) noexcept;
    step go_on_file(block& made, DWORD error, DWORD bytes) noexcept;

    step receive_now(block& made) noexcept;
    step receive_from_pipe(block& made, DWORD error, DWORD bytes) noexcept;
    step wants_buffer(block& made) noexcept;
    std::byte* lease_for(const io_operation& op) noexcept;

    void packet(const OVERLAPPED_ENTRY& entry) noexcept;
    void settle(block& made, step came) noexcept;
    void advance(block_queue& queue) noexcept;
    void retire(block& made) noexcept;
    bool submit_to_pool(io_operation& op) noexcept;
    static void ask_kernel(block& made) noexcept;
    bool feed_wanting() noexcept;

    result<void> bind_to_port(HANDLE native) noexcept;
    result<handle> wrap(native_handle native, handle_kind kind, address_family family,
                        bool is_socket) noexcept;

    HANDLE port_;
    const winsock& functions_;
    blocking_pool& pool_;
    list<block, in_want> wanting_;
    bool refilled_ = false;
    std::atomic<bool> woken_{false};
    std::mt19937_64 chance_;
};

inline iocp_handle& record_of(const block& made) noexcept {
    return *static_cast<iocp_handle*>(made.op->target);
}

}  // namespace upcall::iocp
