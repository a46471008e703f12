// Files: positioned reads and writes, and everything else one does with files, without ever
// blocking the loop. What has no asynchronous form in the kernel runs on the pool.
//
//     auto data = (co_await file::open("data.bin", open_read)).value();
//     std::size_t got = (co_await data.read_at(buffer, 0)).value();
//
// Positioned transfers are not ordered among each other: two writes to one place may take effect in
// either order. Where order matters, await the first before starting the second.
//
// Where tasks of several classes use one file, `limit_transfers` gives each its share of it.
//
// Cancelling: what has not started ends with `cancelled`; a call that a disk or a pool thread is
// busy with runs to its end, and its value is delivered.
//
// Paths are taken as the system has them, relative to the working directory or, with `in`, to an
// open directory, which must stay open. Errors are those of the system call named.
#pragma once

#include <limits>
#include <string>

#include <upcall/base/aligned_buffer.hpp>
#include <upcall/base/buffer.hpp>
#include <upcall/io/detail/file_operations.hpp>

namespace upcall {

/// An open file or directory. Move-only; belongs to the loop it was opened on. Destroying it closes
/// it, after the transfers in flight have ended; their buffers must live that long.
class file {
  public:
    /// Open nowhere: every operation on it ends with `closed`.
    file() = default;
    /// Takes a handle of kind `file`.
    explicit file(handle opened) noexcept : handle_(std::move(opened)) {}

    /// Whether it is open, as far as this side is concerned.
    explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

    /// Opens a file: `how` is a set of open_options, `mode` the permissions of one that is created.
    /// openat(2); with open_beneath openat2(2). Yields result<file>.
    static request<detail::open_file_operation> open(std::string path, std::uint32_t how,
                                                     std::uint32_t mode = 0666,
                                                     const file* in = nullptr) {
        return request<detail::open_file_operation>({.what = file_call::open,
                                                     .target = record_of(in),
                                                     .path = std::move(path),
                                                     .options = how,
                                                     .mode = mode,
                                                     .on_path = true});
    }

    /// Takes a descriptor of this process, on the current loop; on error the caller still owns it.
    /// Errors: no_loop; those of the driver.
    static result<file> adopt(native_handle opened);
    /// The descriptor, which the caller now owns; the file is empty afterwards. Errors: closed;
    /// device_or_resource_busy while anything is in flight.
    result<native_handle> release() noexcept;

    // ---- transfers ------------------------------------------------------------------------
    //
    // The file, the buffer and `pieces` stay until the completion. Errors of each, beside those of
    // the call named: closed; wrong_loop; cancellation, and then no byte was moved.

    /// Some bytes from `offset` on: how many, result<std::size_t>; 0 only at or past the end of the
    /// file. pread(2).
    request<detail::some_file_transfer> read_at(byte_span buffer, std::uint64_t offset) {
        return transfer<detail::some_file_transfer>(op_kind::file_read, buffer.data(),
                                                    buffer.size(), offset, false, false);
    }
    /// The same into several pieces, in order. preadv(2).
    request<detail::some_file_transfer> read_at(std::span<io_slice> pieces, std::uint64_t offset) {
        return transfer<detail::some_file_transfer>(op_kind::file_read, pieces.data(),
                                                    pieces.size(), offset, true, false);
    }
    /// Fills the buffer, or says with end_of_stream where the file ended: a `transfer`.
    request<detail::whole_file_transfer> read_exactly_at(byte_span buffer, std::uint64_t offset) {
        return transfer<detail::whole_file_transfer>(op_kind::file_read, buffer.data(),
                                                     buffer.size(), offset, false, true);
    }

    /// Some of the bytes at `offset`: how many, result<std::size_t>. With open_append, at the end.
    /// pwrite(2).
    request<detail::some_file_transfer> write_at(outgoing buffer, std::uint64_t offset) {
        return transfer<detail::some_file_transfer>(op_kind::file_write,
                                                    const_cast<std::byte*>(buffer.data()),
                                                    buffer.size(), offset, false, false);
    }
    /// The same of several pieces, in order. pwritev(2).
    request<detail::some_file_transfer> write_at(std::span<io_slice> pieces, std::uint64_t offset) {
        return transfer<detail::some_file_transfer>(op_kind::file_write, pieces.data(),
                                                    pieces.size(), offset, true, false);
    }
    /// All of the bytes, or how many and the cause why not more: a `transfer`.
    request<detail::whole_file_transfer> write_all_at(outgoing buffer, std::uint64_t offset) {
        return transfer<detail::whole_file_transfer>(op_kind::file_write,
                                                     const_cast<std::byte*>(buffer.data()),
                                                     buffer.size(), offset, false, true);
    }

    /// At most `depth` of the transfers above that start from now on, whenever they were made, are
    /// with the kernel at a time: from 1 to 4,096; zero takes the limit away. The others wait, and
    /// each time one has come back the next is of the task class that had least of its share: its
    /// transfers, each counted as 16 KiB and its length, divided by its shares. Within a class it
    /// is first in, first out. What waits can be cancelled, and then nothing of it has happened; it
    /// ends with `closed` when the file is closed. A transfer of a whole buffer counts as one,
    /// however many steps it takes. Transfers end also with not_enough_memory, when a class comes
    /// first to this queue. Calls on the file as a whole, and `copy`, do not wait. docs/fairness.md
    /// has the bounds.
    ///
    /// Errors: closed; device_or_resource_busy, something is in flight; not_enough_memory.
    result<void> limit_transfers(std::uint32_t depth) noexcept;

    // ---- the file as a whole ----------------------------------------------------------------

    /// Makes what was written durable, with what is needed to find it again (sync) or only the data
    /// (sync_data). After an error nothing written before may be taken for durable, and trying
    /// again proves nothing: the kernel reports a lost page once. fsync(2). Yields result<void>.
    request<detail::simple_file_call> sync() { return call(file_call::sync); }
    request<detail::simple_file_call> sync_data() { return call(file_call::sync_data); }

    /// ftruncate(2). Yields result<void>.
    request<detail::simple_file_call> truncate(std::uint64_t size) {
        return request<detail::simple_file_call>(
            {.what = file_call::truncate, .target = handle_.record(), .size = size});
    }
    /// Reserves room; extends the file if it was shorter. fallocate(2). Yields result<void>.
    request<detail::simple_file_call> allocate(std::uint64_t offset, std::uint64_t size) {
        return request<detail::simple_file_call>({.what = file_call::allocate,
                                                  .target = handle_.record(),
                                                  .offset = offset,
                                                  .size = size});
    }
    /// Gives the file these permissions, whatever the umask. fchmod(2); unsupported on Windows,
    /// which has none. Yields result<void>.
    request<detail::simple_file_call> set_permissions(std::uint32_t mode) {
        return request<detail::simple_file_call>(
            {.what = file_call::set_permissions, .target = handle_.record(), .mode = mode});
    }
    /// Size, times, and what O_DIRECT asks for: result<file_status>. statx(2).
    request<detail::status_operation> status() {
        return request<detail::status_operation>(
            {.what = file_call::status, .target = handle_.record()});
    }
    /// The entries of an open directory, without "." and "..", in the system's order:
    /// result<std::vector<directory_entry>>.
    request<detail::list_operation> list() {
        return request<detail::list_operation>(
            {.what = file_call::list_directory, .target = handle_.record()});
    }

    /// Closes, after what is in flight, and tells what close(2) said: errors of earlier writes may
    /// surface here. Cannot be cancelled. Yields result<void>.
    request<detail::close_file_operation> close() {
        return request<detail::close_file_operation>({std::move(handle_), std::move(queue_)});
    }

    /// For operations: what they work on; null when it is empty.
    handle_record* record() const noexcept { return handle_.record(); }

    /// The same of a file that may be absent.
    static handle_record* record_of(const file* of) noexcept { return of ? of->record() : nullptr; }

  private:
    template <class Operation>
    request<Operation> transfer(op_kind kind, void* data, std::size_t size, std::uint64_t offset,
                                bool vectored, bool whole) {
        return request<Operation>({handle_.record(), kind, data, size, offset, vectored, whole});
    }
    request<detail::simple_file_call> call(file_call what) {
        return request<detail::simple_file_call>({.what = what, .target = handle_.record()});
    }

    handle handle_;
    detail::file_queue_owner queue_;  // ends before the handle: what waits needs that
};

/// Copies from one file to another, by the kernel's shortest way (copy_file_range(2)), until `size`
/// bytes or the end of the source. When either file is closed meanwhile it ends with `closed`.
/// Errors also: wrong_loop, when they are not both of this loop. Yields a `transfer`.
inline request<detail::copy_operation> copy(
    const file& from, const file& to,
    std::uint64_t size = std::numeric_limits<std::uint64_t>::max(), std::uint64_t from_offset = 0,
    std::uint64_t to_offset = 0) {
    return request<detail::copy_operation>({.what = file_call::copy,
                                            .target = from.record(),
                                            .other = to.record(),
                                            .offset = from_offset,
                                            .other_offset = to_offset,
                                            .size = size});
}

/// statx(2), following symbolic links: result<file_status>. `how` may be open_beneath, and
/// open_no_symlinks with it.
inline request<detail::status_operation> status(std::string path, const file* in = nullptr,
                                                std::uint32_t how = 0) {
    return request<detail::status_operation>({.what = file_call::status,
                                              .target = file::record_of(in),
                                              .path = std::move(path),
                                              .options = how,
                                              .on_path = true});
}

/// renameat(2): replaces `to` at once if it exists. Durable only after the directory was synced.
/// Yields result<void>.
inline request<detail::simple_file_call> rename(std::string from, std::string to,
                                                const file* in = nullptr) {
    return request<detail::simple_file_call>({.what = file_call::rename,
                                              .target = file::record_of(in),
                                              .path = std::move(from),
                                              .other_path = std::move(to),
                                              .on_path = true});
}

/// unlinkat(2). Yields result<void>.
inline request<detail::simple_file_call> remove_file(std::string path, const file* in = nullptr) {
    return request<detail::simple_file_call>({.what = file_call::remove_file,
                                              .target = file::record_of(in),
                                              .path = std::move(path),
                                              .on_path = true});
}

/// mkdirat(2). Yields result<void>.
inline request<detail::simple_file_call> make_directory(std::string path, std::uint32_t mode = 0777,
                                                        const file* in = nullptr) {
    return request<detail::simple_file_call>({.what = file_call::make_directory,
                                              .target = file::record_of(in),
                                              .path = std::move(path),
                                              .mode = mode,
                                              .on_path = true});
}

/// unlinkat(2) of an empty directory. Yields result<void>.
inline request<detail::simple_file_call> remove_directory(std::string path,
                                                          const file* in = nullptr) {
    return request<detail::simple_file_call>({.what = file_call::remove_directory,
                                              .target = file::record_of(in),
                                              .path = std::move(path),
                                              .on_path = true});
}

/// The entries of a directory: result<std::vector<directory_entry>>; see file::list.
inline request<detail::list_operation> list_directory(std::string path, const file* in = nullptr) {
    return request<detail::list_operation>({.what = file_call::list_directory,
                                            .target = file::record_of(in),
                                            .path = std::move(path),
                                            .on_path = true});
}

}  // namespace upcall
