// File systems of one's own for a child process.
#pragma once

#include <sched.h>
#include <sys/mount.h>

#include <cstdlib>
#include <string>

#include "conformance/posix/raw.hpp"

namespace upcall::test {

/// From here on, what this process mounts is its own affair. Returns why not, or "".
inline std::string enter_own_mounts() {
    if (::unshare(CLONE_NEWNS) != 0)
        return "a mount namespace needs privileges: " + std::generic_category().message(errno);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return "mounts cannot be made private";
    return "";
}

/// Mounts a file system of so many bytes in memory. Returns why not, or "".
inline std::string mount_small(const std::string& where, const std::string& size) {
    if (::mount("small", where.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0)
        return "tmpfs cannot be mounted: " + std::generic_category().message(errno);
    return "";
}

/// Mounts an ext4 that believes to be larger than the disk below it, which holds `real` bytes:
/// writes are taken, and lost when they are to be made durable. Returns why not, or "".
inline std::string mount_thin_ext4(const std::string& below, const std::string& where,
                                   const std::string& real) {
    if (std::string refused = mount_small(below, real); !refused.empty()) return refused;
    const std::string image = below + "/image";
    const std::string script =
        "PATH=$PATH:/usr/sbin:/sbin; exec >/dev/null 2>&1; truncate -s 64M " + image +
        " && mkfs.ext4 -q -F -O ^has_journal -E lazy_itable_init=1 " + image +
        " && mount -o loop,errors=continue " + image + " " + where;
    if (std::system(script.c_str()) != 0) return "an ext4 in a file cannot be made and mounted";
    return "";
}

}  // namespace upcall::test
