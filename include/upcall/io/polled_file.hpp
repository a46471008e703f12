// A file that a foreign event loop reads as if it were a socket: readiness made from completion.
//
//     polled_file data = polled_file::start(tasks, std::move(opened)).value();
//     … the foreign loop waits until data.descriptor() is readable, and then …
//     while (auto chunk = data.next()) use(*chunk);
//
// poll(2) and epoll(7) call every file readable, and the read waits for the disk all the same.
// Here a pipeline of reads is always in flight. Those that have ended wait, in the order of the
// file, and while there are any the descriptor is readable; when one is taken, the next read
// begins. The loop whose reads they are turns by itself, or inside the foreign loop
// (loop::native_handle).
//
// For one loop's thread. POSIX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <upcall/io/file.hpp>
#include <upcall/task/scope.hpp>

namespace upcall {

namespace detail {
class polled_file_core;
}

/// How far a polled_file reads ahead, and in what pieces.
struct polled_file_options {
    /// Of each read, and so of each chunk but the last. With open_direct a multiple of the disk's
    /// blocks.
    std::size_t chunk_bytes = std::size_t{64} << 10;
    /// Reads in flight or waiting to be taken.
    std::size_t depth = 32;
    /// Where in the file the first chunk begins.
    std::uint64_t from = 0;
};

/// Move-only. Destroying it cancels its reads and, when the last has ended, closes the file.
class polled_file {
  public:
    polled_file() = default;
    polled_file(polled_file&& other) noexcept;
    polled_file& operator=(polled_file&& other) noexcept;
    ~polled_file();

    /// Begins to read `from`, in a task or a call of its loop. The reads are children of `in`,
    /// which outlives this. Allocates depth chunks, known to io_uring in advance
    /// (registered_buffer). Errors: no_loop; invalid_argument, for a depth or chunks of 0;
    /// not_enough_memory; those of eventfd(2).
    static result<polled_file> start(scope& in, file from, polled_file_options options = {});

    explicit operator bool() const noexcept { return core_ != nullptr; }

    /// Readable while `next` has something: a chunk, the end or an error. Level-triggered, the same
    /// at each call, and closed with this.
    native_handle descriptor() const noexcept;

    /// The next chunk of the file, and the next read begins in place of the one before. It is valid
    /// until the next call, or until this is destroyed. Never waits. Errors:
    /// operation_would_block, it is not there yet; end_of_stream, again and again; what ended a
    /// read, again and again.
    result<byte_view> next();

    /// Reads that have not ended.
    std::size_t in_flight() const noexcept;

  private:
    std::shared_ptr<detail::polled_file_core> core_;
};

}  // namespace upcall
