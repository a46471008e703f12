// The seam: one kernel interface as a driver.
//
// A driver takes operations, answers each of them exactly once, and knows nothing of coroutines.
// Above it the same loop, tasks and sockets run on io_uring, epoll, a simulator or Windows; whoever
// writes a driver implements this page and lets the conformance suite (tests/conformance) judge.
//
// All calls come from the loop's thread, except `wake` and `finish_elsewhere`.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include <upcall/base/buffer_pool.hpp>
#include <upcall/base/clock.hpp>
#include <upcall/base/result.hpp>
#include <upcall/driver/address.hpp>
#include <upcall/driver/handle.hpp>
#include <upcall/driver/io_operation.hpp>
#include <upcall/os/descriptor.hpp>

namespace upcall {

class blocking_pool;

enum class socket_type : std::uint8_t { stream, datagram, sequential };
enum class shut : std::uint8_t { reading, writing, both };

/// Options by the meaning that socket(7), ip(7), ipv6(7) and tcp(7) give them.
enum class socket_option : std::uint8_t {
    reuse_address,
    reuse_port,
    keep_alive,
    keep_alive_idle_seconds,      // silence before the first probe
    keep_alive_interval_seconds,  // between probes
    keep_alive_probes,            // unanswered ones that end the connection
    no_delay,
    linger_seconds,  // -1: off; 0: close resets; a positive time would block and is unsupported
    send_buffer,
    receive_buffer,
    only_ipv6,
    broadcast,
    time_to_live,
    multicast_hops,       // how far multicasts travel; 1: this network alone
    multicast_loop,       // whether they come back to this host
    multicast_interface,  // number of the interface to send them on
    pending_error,        // get only: takes SO_ERROR
};

/// The process at the other end of a Unix socket, as it was when it connected or listened.
struct peer_identity {
    std::int64_t process = 0;
    std::uint32_t user = 0;
    std::uint32_t group = 0;
};

/// What the loop lends a driver; all of it outlives the driver.
struct driver_environment {
    /// Where completions go. Never null.
    ready_queue* ready = nullptr;
    /// What `receive` leases from. Never null.
    buffer_pool* buffers = nullptr;
    /// For what always blocks; null: the process's own, blocking_pool::shared().
    blocking_pool* pool = nullptr;
    /// `pollable` will be asked for.
    bool embedded = false;
};

/// Which way transfers of files have gone since a driver was made.
struct file_transfer_counts {
    /// What is asked first: "pool", "linux_aio", …; empty: the driver's own interface.
    std::string_view engine{};
    /// That took them.
    std::uint64_t by_engine = 0;
    /// Left to the pool, as the engine would have blocked on them or cannot do them.
    std::uint64_t by_pool = 0;
    /// Of by_engine: came back, as the kernel would have had to wait, and went to the pool.
    std::uint64_t sent_back = 0;
};

/// One per loop. What an operation's handle, buffer and result mean is told by op_kind; errors are
/// raw outcomes there (see error_from_raw), and in the controls results.
class driver {
  public:
    explicit driver(const driver_environment& lent) noexcept
        : ready_(lent.ready), buffers_(lent.buffers) {}
    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;
    /// Nothing is in flight and no handle is open any more. A derived destructor calls
    /// `await_helpers` first, before what `wake` needs is gone.
    virtual ~driver() = default;

    /// The name it is chosen by: "uring", "epoll", …
    virtual std::string_view name() const noexcept = 0;

    // ---- operations -------------------------------------------------------------------------

    /// Starts an operation that was begun in its context. True: the outcome is in `op.result`
    /// already and no completion follows. False: it will be completed through the ready queue.
    /// The operation, its buffer and its arguments stay where they are until then.
    bool start(io_operation& op) noexcept;

    /// Asks for the end of an operation in flight. Only asks: its completion tells what came of
    /// it, -ECANCELED if nothing happened.
    virtual void cancel(io_operation& op) noexcept = 0;

    /// One turn with the kernel: hands over what was started, then waits until something has
    /// completed, `wake` was called or `deadline` has passed, and queues what has completed.
    /// A deadline in the past only looks; `never` has no deadline. May return early.
    virtual void poll(time_point deadline) noexcept = 0;

    /// Ends the current or the next `poll`. Any thread; coalesced.
    virtual void wake() noexcept = 0;

    // ---- embedding --------------------------------------------------------------------------

    /// A descriptor that poll(2) and its like find readable while a `poll` that only looks would
    /// bring something, or might; the driver's own, the same each time. Only if the environment
    /// said `embedded`. Error: unsupported, the kernel has no such thing for this interface.
    virtual result<native_handle> pollable() noexcept { return failure(errc::unsupported); }

    /// By when `poll` is to be called although that descriptor is not readable:
    /// `time_point::min()`, something was started or is to be gone on with; `never`.
    virtual time_point poll_again_by() noexcept { return never; }

    // ---- time and chance --------------------------------------------------------------------

    /// Monotonic; the simulator's is virtual and stands still while a loop has something to do.
    virtual time_point now() noexcept = 0;
    /// Any 64 bits: of the system's random source (getrandom(2)), or of the simulator's seed.
    virtual std::uint64_t random() noexcept = 0;

    // ---- controls: synchronous, never blocking ----------------------------------------------
    //
    // Each is one system call of that name, whose errors it has. Handles that they are given stay
    // their owner's; those that they make belong to the caller.

    /// A socket, not yet bound, of kind `datagram` for what keeps message boundaries; socket(2).
    virtual result<handle> open_socket(address_family family, socket_type type) noexcept = 0;
    /// Two connected handles: a pair of Unix sockets, or their like.
    virtual result<std::pair<handle, handle>> open_pair(socket_type type) noexcept = 0;
    /// A pipe: first the end to read from, second the end to write to.
    virtual result<std::pair<handle, handle>> open_pipe() noexcept = 0;
    virtual result<void> bind(handle_record& target, const address& where) noexcept = 0;
    /// The kernel may hold fewer pending connections than `backlog` (listen(2), somaxconn).
    virtual result<void> listen(handle_record& target, int backlog) noexcept = 0;
    virtual result<address> local_address(handle_record& target) noexcept = 0;
    virtual result<address> peer_address(handle_record& target) noexcept = 0;
    virtual result<void> set_option(handle_record& target, socket_option which,
                                    std::int64_t value) noexcept = 0;
    virtual result<std::int64_t> get_option(handle_record& target,
                                            socket_option which) noexcept = 0;
    virtual result<void> shut_down(handle_record& target, shut direction) noexcept = 0;

    /// Joins a multicast group, or leaves it, on the interface with that number; 0 leaves the
    /// choice to the system. `group` is an IP address whose port does not matter.
    virtual result<void> set_membership(handle_record& target, const address& group,
                                        std::uint32_t interface_number, bool member) noexcept {
        static_cast<void>(target), static_cast<void>(group);
        static_cast<void>(interface_number), static_cast<void>(member);
        return failure(errc::unsupported);
    }
    /// SO_PEERCRED of unix(7). Error: unsupported where the system does not tell.
    virtual result<peer_identity> identify_peer(handle_record& target) noexcept {
        static_cast<void>(target);
        return failure(errc::unsupported);
    }

    /// Takes ownership of something native and makes a handle of it, ready for operations.
    /// On error the caller still owns it. `foreign` handles are watched, never owned. Closing
    /// one that is no socket gives it its blocking mode back: others may share it, as a terminal.
    /// Of several copies of one such thing (dup(2)) the one adopted first is to be closed last:
    /// they share the mode, and a call on the others would block the loop from then on.
    virtual result<handle> adopt(native_handle native, handle_kind kind) noexcept = 0;
    /// The same for what an `accept` answered with, on whichever loop: already prepared, so this
    /// is cheaper, and `release` gives it out in blocking mode.
    virtual result<handle> adopt_accepted(native_handle native) noexcept {
        return adopt(native, handle_kind::stream);
    }
    /// The reverse: the native object, which the caller now owns, in blocking mode unless it was
    /// adopted in non-blocking mode. Error: device_or_resource_busy with operations in flight; the
    /// handle is left.
    virtual result<native_handle> release(handle& from) noexcept = 0;

    /// An owner of what `release` gave out or an `accept` answered with, which closes it as this
    /// driver would.
    virtual descriptor own(native_handle native) noexcept { return descriptor(native); }

    /// Ends the record's operations in flight, then closes. `on_closed` is called when it is done,
    /// possibly before this returns.
    void close(handle_record& target) noexcept;

    // ---- for the pool and other helpers -----------------------------------------------------

    /// Completes an operation from another thread: `op.result` is set, the loop is woken.
    void finish_elsewhere(io_operation& op) noexcept;

    /// Keeps the record, closed or not, until `let_go`: for what works on it in several steps.
    static void hold(handle_record& target) noexcept { ++target.in_flight; }
    void let_go(handle_record& target) noexcept { drop_reference(target); }

    buffer_pool& buffers() const noexcept { return *buffers_; }

    /// Handles that were handed out and neither closed nor released.
    std::size_t open_handles() const noexcept { return open_handles_; }

    /// Buffers of the pool that are out because the driver keeps them in stock for the kernel.
    virtual std::size_t buffers_in_stock() const noexcept { return 0; }

    /// For reports; all zero for a driver that counts none.
    virtual file_transfer_counts file_transfers() const noexcept { return {}; }

    /// A leased buffer came back after the pool had run dry: what waits for one may go on. The loop
    /// wires buffer_pool::on_refill to this.
    virtual void buffers_refilled() noexcept {}

    /// Lets the kernel know memory, which stays the caller's until `forget_memory`, that transfers
    /// of files will use again and again, so that it need not find the pages each time. 0, or a raw
    /// error: then it is used as any other memory.
    virtual std::int64_t register_memory(byte_span memory) noexcept {
        static_cast<void>(memory);
        return raw_error(errc::unsupported);
    }
    /// Takes back a `register_memory` that succeeded.
    virtual void forget_memory(byte_span memory) noexcept { static_cast<void>(memory); }

  protected:
    /// Starts `op`; see `start`. Whether it was finished is the return value, never `finish`.
    virtual bool submit(io_operation& op) noexcept = 0;
    /// Asks for the end of everything in flight on `target`, which is being closed.
    virtual void cancel_all(handle_record& target) noexcept = 0;
    /// Closes the native object (nothing is in flight on it) and frees the record.
    /// Returns 0 or the negated errno of close.
    virtual std::int64_t destroy(handle_record& target) noexcept = 0;

    /// A handle of a new record, and the note that it is gone again.
    handle hand_out(handle_record& made) noexcept {
        ++open_handles_;
        return handle(made);
    }
    void note_gone() noexcept { --open_handles_; }

    /// Completes an operation for which `submit` had returned false. It is queued before the close
    /// that may have waited for it is reported.
    void finish(io_operation& op, std::int64_t result) noexcept {
        op.result = result;
        op.complete();
        if (op.target) drop_reference(*op.target);
    }

    /// An operation that `finish_elsewhere` brought is about to complete. False: the driver goes on
    /// with it instead, and it has not been finished.
    virtual bool returned(io_operation& op) noexcept {
        static_cast<void>(op);
        return true;
    }

    /// Completes what `finish_elsewhere` brought. Part of every `poll`.
    void collect_elsewhere() noexcept;

    /// Waits until no other thread is inside `finish_elsewhere` any more: the loop may see an
    /// operation complete before the thread that brought it has left.
    void await_helpers() const noexcept;

    ready_queue& ready() const noexcept { return *ready_; }

  private:
    void drop_reference(handle_record& target) noexcept {
        if (--target.in_flight == 0 && target.closing) [[unlikely]]
            end(target);
    }
    void end(handle_record& target) noexcept;

    ready_queue* ready_;
    buffer_pool* buffers_;
    std::size_t open_handles_ = 0;
    std::atomic<io_operation*> elsewhere_{nullptr};
    std::atomic<std::uint32_t> helpers_{0};
};

/// The error of an operation whose result is negative: cancellation by its cause, else the
/// kernel's word.
std::error_code error_of(const io_operation& op) noexcept;

}  // namespace upcall
