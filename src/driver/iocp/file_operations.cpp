// Reading and writing files at a position.
#include <algorithm>
#include <cerrno>
#include <limits>

#include "driver/iocp/errors.hpp"
#include "driver/iocp/iocp_driver.hpp"

namespace upcall::iocp {
namespace {

constexpr std::size_t transfer_max = std::size_t{1} << 30;
constexpr std::uint64_t offset_max = std::numeric_limits<std::int64_t>::max();

std::size_t slice_count(const io_operation& op) noexcept {
    return op.flags & op_vectored ? op.size : 1;
}

io_slice slice_at(const io_operation& op, std::size_t at) noexcept {
    if (op.flags & op_vectored) return static_cast<const io_slice*>(op.data)[at];
    return byte_span(static_cast<std::byte*>(op.data), op.size);
}

bool is_directory(HANDLE file) noexcept {
    BY_HANDLE_FILE_INFORMATION about;
    return ::GetFileInformationByHandle(file, &about) &&
           (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
}

std::int64_t file_outcome(const io_operation& op, HANDLE file, DWORD error) noexcept {
    const bool reads = op.kind == op_kind::file_read;
    if (error == ERROR_HANDLE_EOF) return 0;
    if (is_directory(file)) return reads ? -EISDIR : -EBADF;
    if (error == ERROR_ACCESS_DENIED) return -EBADF;  // opened for the other direction only
    return raw_of(error);
}

}  // namespace

iocp_driver::step iocp_driver::begin_file(block& made) noexcept {
    const io_operation& op = *made.op;
    const HANDLE file = record_of(made).file();
    while (made.slice < slice_count(op) && slice_at(op, made.slice).size == 0) ++made.slice;
    const auto so_far = static_cast<std::int64_t>(made.moved);
    if (made.slice == slice_count(op)) return done(so_far);
    if (op.offset > offset_max - made.moved) return done(so_far > 0 ? so_far : -EINVAL);
    const io_slice slice = slice_at(op, made.slice);
    const auto length = static_cast<DWORD>(std::min(slice.size, transfer_max));
    OVERLAPPED* at = made.fresh(op.offset + made.moved);
    const BOOL worked = op.kind == op_kind::file_read
                            ? ::ReadFile(file, slice.data, length, nullptr, at)
                            : ::WriteFile(file, slice.data, length, nullptr, at);
    const DWORD error = worked ? ERROR_SUCCESS : ::GetLastError();
    if (error != ERROR_SUCCESS && error != ERROR_IO_PENDING)
        return done(so_far > 0 ? so_far : file_outcome(op, file, error));
    made.where = block::place::kernel;
    return under_way;
}

iocp_driver::step iocp_driver::go_on_file(block& made, DWORD error, DWORD bytes) noexcept {
    const io_operation& op = *made.op;
    made.moved += bytes;
    const auto so_far = static_cast<std::int64_t>(made.moved);
    if (error && so_far > 0) return done(so_far);
    // Of a write that was aborted nobody can say what reached the file.
    if (error == ERROR_OPERATION_ABORTED && op.kind == op_kind::file_write)
        return done(raw_error(errc::interrupted));
    if (error) return done(file_outcome(op, record_of(made).file(), error));
    if (bytes < slice_at(op, made.slice).size || made.asked) return done(so_far);
    ++made.slice;
    return begin_file(made);
}

}  // namespace upcall::iocp
