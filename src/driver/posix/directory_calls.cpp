#include "driver/posix/directory_calls.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <new>

#include "driver/posix/system_call.hpp"

namespace upcall {
namespace {

struct flag_of_option {
    std::uint32_t option;
    int flag;
};

constexpr flag_of_option flags_of_options[] = {
    {open_create, O_CREAT},        {open_exclusive, O_EXCL},   {open_truncate, O_TRUNC},
    {open_append, O_APPEND},       {open_direct, O_DIRECT},    {open_durable, O_DSYNC},
    {open_directory, O_DIRECTORY}, {open_regular, O_NONBLOCK},  // a FIFO without its other end must
                                                                // not hold us up
};

int flags_of(std::uint32_t options) noexcept {
    int flags = O_CLOEXEC | O_NOCTTY;
    if ((options & open_read) && (options & open_write))
        flags |= O_RDWR;
    else
        flags |= options & open_write ? O_WRONLY : O_RDONLY;
    for (const auto& [option, flag] : flags_of_options)
        if (options & option) flags |= flag;
    return flags;
}

int directory_of(const file_call_arguments& asked) noexcept {
    return asked.directory ? static_cast<int>(asked.directory->native) : AT_FDCWD;
}

std::int64_t open_path(const file_call_arguments& asked, int flags) noexcept {
    const int directory = directory_of(asked);
    if (!(asked.options & open_beneath))
        return system_call([&] { return ::openat(directory, asked.path, flags, asked.mode); });
    open_how how{};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags));
    how.mode = flags & O_CREAT ? asked.mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (asked.options & open_no_symlinks) how.resolve |= RESOLVE_NO_SYMLINKS;
    std::int64_t outcome = 0;
    // EAGAIN: a rename elsewhere came between, and the kernel could not tell (openat2(2)).
    for (int tries = 0; tries < 128; ++tries) {
        outcome = system_call(
            [&] { return ::syscall(SYS_openat2, directory, asked.path, &how, sizeof how); });
        if (outcome != -EAGAIN) break;
    }
    return outcome == -ENOSYS ? raw_error(errc::unsupported) : outcome;
}

/// 0 when `fd` is a regular file; it then loses the mode that kept opening it from waiting, as
/// io_uring takes that for "never wait" on files.
std::int64_t make_sure_it_is_regular(int fd) noexcept {
    struct stat status{};
    if (::fstat(fd, &status) != 0) return -errno;
    if (S_ISDIR(status.st_mode)) return -EISDIR;
    if (!S_ISREG(status.st_mode)) return -EINVAL;
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) return -errno;
    return 0;
}

file_type type_of_mode(std::uint32_t mode) noexcept {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return file_type::regular;
        case S_IFDIR:
            return file_type::directory;
        case S_IFLNK:
            return file_type::symbolic_link;
        case S_IFIFO:
            return file_type::fifo;
        case S_IFSOCK:
            return file_type::socket;
        case S_IFBLK:
        case S_IFCHR:
            return file_type::device;
        default:
            return file_type::unknown;
    }
}

std::int64_t nanoseconds_of(const statx_timestamp& time) noexcept {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void fill(file_status& status, const struct statx& read) noexcept {
    status.type = type_of_mode(read.stx_mode);
    status.permissions = read.stx_mode & 07777U;
    status.size = read.stx_size;
    status.device = makedev(read.stx_dev_major, read.stx_dev_minor);
    status.inode = read.stx_ino;
    status.links = read.stx_nlink;
    status.modified_ns = nanoseconds_of(read.stx_mtime);
    status.changed_ns = nanoseconds_of(read.stx_ctime);
    const bool tells = read.stx_mask & STATX_DIOALIGN;
    status.direct_memory_alignment = tells ? read.stx_dio_mem_align : 0;
    status.direct_offset_alignment = tells ? read.stx_dio_offset_align : 0;
}

std::int64_t statx_call(int directory, const char* path, int flags, file_status& status) noexcept {
    struct statx read{};
    const auto outcome = system_call(
        [&] { return ::statx(directory, path, flags, STATX_BASIC_STATS | STATX_DIOALIGN, &read); });
    if (outcome == 0) fill(status, read);
    return outcome;
}

std::int64_t collect(DIR& stream, std::vector<directory_entry>& entries) noexcept {
    try {
        for (;;) {
            errno = 0;
            const dirent* next = ::readdir(&stream);
            if (!next) return -errno;
            if (std::strcmp(next->d_name, ".") == 0 || std::strcmp(next->d_name, "..") == 0)
                continue;
            const auto mode = static_cast<std::uint32_t>(DTTOIF(next->d_type));
            entries.push_back({next->d_name, type_of_mode(mode)});
        }
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

}  // namespace

std::int64_t open_file(const file_call_arguments& asked) noexcept {
    if (!(asked.options & (open_read | open_write | open_directory))) return -EINVAL;
    const auto opened = open_path(asked, flags_of(asked.options));
    if (opened < 0 || !(asked.options & open_regular)) return opened;
    const int fd = static_cast<int>(opened);
    if (const auto refused = make_sure_it_is_regular(fd); refused < 0) {
        ::close(fd);
        return refused;
    }
    return fd;
}

std::int64_t read_status(int fd, const file_call_arguments& asked) noexcept {
    if (!asked.path) return statx_call(fd, "", AT_EMPTY_PATH, *asked.status);
    if (!(asked.options & open_beneath))
        return statx_call(directory_of(asked), asked.path, 0, *asked.status);
    const auto opened = open_path(asked, O_PATH | O_CLOEXEC);
    if (opened < 0) return opened;
    const auto outcome = statx_call(static_cast<int>(opened), "", AT_EMPTY_PATH, *asked.status);
    ::close(static_cast<int>(opened));
    return outcome;
}

std::int64_t list_directory(int fd, const file_call_arguments& asked) noexcept {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    // Never the caller's own descriptor: its position in the directory is the caller's.
    const auto opened = asked.path ? open_path(asked, flags)
                                   : system_call([&] { return ::openat(fd, ".", flags); });
    if (opened < 0) return opened;
    DIR* stream = ::fdopendir(static_cast<int>(opened));
    if (!stream) {
        const int error = errno;
        ::close(static_cast<int>(opened));
        return -error;
    }
    asked.entries->clear();
    const auto outcome = collect(*stream, *asked.entries);
    ::closedir(stream);
    return outcome;
}

}  // namespace upcall
