#include "driver/posix/file_calls.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "driver/posix/directory_calls.hpp"
#include "driver/posix/file_transfers.hpp"
#include "driver/posix/system_call.hpp"

namespace upcall {
namespace {

int fd_of(const handle_record* record) noexcept { return static_cast<int>(record->native); }

int directory_of(const handle_record* record) noexcept { return record ? fd_of(record) : AT_FDCWD; }

std::int64_t allocate(int fd, const file_call_arguments& asked) noexcept {
    const auto offset = static_cast<off_t>(asked.offset);
    const auto size = static_cast<off_t>(asked.size);
    const auto outcome = system_call([&] { return ::fallocate(fd, 0, offset, size); });
    if (outcome != -EOPNOTSUPP) return outcome;
    // glibc writes a byte into every block where the file system cannot reserve.
    for (;;) {
        const int error = ::posix_fallocate(fd, offset, size);
        if (error != EINTR) return -error;
    }
}

std::int64_t rename(const file_call_arguments& asked) noexcept {
    const int from = directory_of(asked.directory);
    const int to = asked.other ? fd_of(asked.other) : from;
    return system_call([&] { return ::renameat(from, asked.path, to, asked.other_path); });
}

std::int64_t run_file_call(io_operation& op) noexcept {
    auto& asked = *static_cast<file_call_arguments*>(op.data);
    const int directory = directory_of(asked.directory);
    const int fd = op.target ? fd_of(op.target) : -1;
    switch (asked.what) {
        case file_call::open:
            return open_file(asked);
        case file_call::status:
            return read_status(fd, asked);
        case file_call::sync:
            return system_call([&] { return ::fsync(fd); });
        case file_call::sync_data:
            return system_call([&] { return ::fdatasync(fd); });
        case file_call::truncate:
            return system_call([&] { return ::ftruncate(fd, static_cast<off_t>(asked.size)); });
        case file_call::allocate:
            return allocate(fd, asked);
        case file_call::rename:
            return rename(asked);
        case file_call::remove_file:
            return system_call([&] { return ::unlinkat(directory, asked.path, 0); });
        case file_call::make_directory:
            return system_call([&] { return ::mkdirat(directory, asked.path, asked.mode); });
        case file_call::remove_directory:
            return system_call([&] { return ::unlinkat(directory, asked.path, AT_REMOVEDIR); });
        case file_call::list_directory:
            return list_directory(fd, asked);
        case file_call::set_permissions:
            return system_call([&] { return ::fchmod(fd, static_cast<mode_t>(asked.mode)); });
        case file_call::copy:
            return copy_range(fd, asked);
    }
    return -EOPNOTSUPP;
}

}  // namespace

std::int64_t run_blocking(io_operation& op) noexcept {
    switch (op.kind) {
        case op_kind::file_read:
        case op_kind::file_write:
            return transfer_at_offset(op);
        case op_kind::read:
        case op_kind::write:
        case op_kind::receive:
            return transfer_at_position(op);
        case op_kind::file_call:
            return run_file_call(op);
        case op_kind::work: {
            const auto& job = *static_cast<const work_arguments*>(op.data);
            job.run(job.argument);
            return 0;
        }
        case op_kind::connect:
        case op_kind::accept:
        case op_kind::receive_message:
        case op_kind::send_message:
        case op_kind::poll:
            break;
    }
    return -EOPNOTSUPP;
}

}  // namespace upcall
