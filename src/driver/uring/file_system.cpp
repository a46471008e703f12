#include "driver/uring/file_system.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <optional>

namespace upcall {
namespace {

// statmount(2), which is younger than the C library that this may be built with.
constexpr long statmount_call = 457;
constexpr unsigned unique_mount_id = 0x4000;      // STATX_MNT_ID_UNIQUE
constexpr std::uint64_t basic_of_superblock = 1;  // STATMOUNT_SB_BASIC

struct mount_request {
    std::uint32_t size;
    std::uint32_t spare;
    std::uint64_t mount;
    std::uint64_t wanted;
};

struct mount_status {
    std::uint32_t size;
    std::uint32_t options;
    std::uint64_t told;
    std::uint32_t device_major;
    std::uint32_t device_minor;
    std::uint64_t magic;
    std::uint64_t rest[61];
};
static_assert(sizeof(mount_status) == 520);

/// The number of the file's mount, which no other will ever have; 0: this kernel has none.
std::uint64_t mount_of(int fd) noexcept {
    struct statx found{};
    const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (::statx(fd, "", flags, unique_mount_id, &found) != 0) return 0;
    return found.stx_mask & unique_mount_id ? found.stx_mnt_id : 0;
}

/// The kind of file system; none for a mount that this process does not see.
std::optional<std::uint64_t> magic_of(std::uint64_t mount) noexcept {
    mount_request asked{
        .size = sizeof asked, .spare = 0, .mount = mount, .wanted = basic_of_superblock};
    mount_status found{};
    if (::syscall(statmount_call, &asked, &found, sizeof found, 0) != 0) return std::nullopt;
    if (!(found.told & basic_of_superblock)) return std::nullopt;
    return found.magic;
}

bool stalls(std::uint64_t mount, int fd) noexcept {
    if (mount != 0)
        if (const auto magic = magic_of(mount)) return *magic == FUSE_SUPER_MAGIC;
    struct statfs found{};
    return ::fstatfs(fd, &found) == 0 &&
           static_cast<std::uint64_t>(found.f_type) == FUSE_SUPER_MAGIC;
}

}  // namespace

bool stalling_mounts::hold(int fd) noexcept {
    const std::uint64_t mount = mount_of(fd);
    if (mount == 0 || mount != known_) {
        known_stalls_ = stalls(mount, fd);
        known_ = mount;
    }
    return known_stalls_;
}

bool goes_past_page_cache(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0;
}

}  // namespace upcall
