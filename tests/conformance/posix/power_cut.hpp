// A disk whose power can be cut. The real one is an ext4 with a journal, in a file, in a process
// with mounts of its own. The cut is the kernel's own (the ioctl that xfstests cuts with): from
// then on nothing reaches the file, not even the journal's last transaction, and every call on the
// file system fails.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include "conformance/posix/file_systems.hpp"
#include "conformance/posix/raw.hpp"

namespace upcall::test {

class mortal_disk {
  public:
    mortal_disk() = default;
    mortal_disk(const mortal_disk&) = delete;
    mortal_disk& operator=(const mortal_disk&) = delete;
    virtual ~mortal_disk() = default;

    virtual const std::string& path() const = 0;
    /// Cuts the power. Any thread.
    virtual void cut() const = 0;
    /// Brings it back, with what it holds. Nothing on it may be open.
    virtual void restart() = 0;
    /// Has the file system find itself broken and refuse to be written from then on. Any thread.
    virtual void become_read_only() const = 0;
};

class mounted_disk final : public mortal_disk {
  public:
    /// For a process that has entered its own mounts. `below` and `where` are folders.
    mounted_disk(std::string below, std::string where)
        : below_(std::move(below)), where_(std::move(where)) {}
    ~mounted_disk() override {
        static_cast<void>(unmount());
        static_cast<void>(::umount2(below_.c_str(), MNT_DETACH));
    }

    /// Makes the file system and mounts it. Returns why not, or "".
    std::string make() {
        if (std::string refused = mount_small(below_, "64m"); !refused.empty()) return refused;
        const std::string image = below_ + "/image";
        if (run("truncate -s 32M " + image + " && mkfs.ext4 -q -F " + image) != 0)
            return "an ext4 in a file cannot be made";
        if (!mount()) return "an ext4 in a file cannot be mounted";
        return "";
    }

    const std::string& path() const override { return where_; }

    void cut() const override {
        constexpr unsigned long shut_down = 0x8004587dUL;  // FS_IOC_SHUTDOWN, _IOR('X', 125, u32)
        std::uint32_t without_flushing = 2;
        const raw_fd root(checked(::open(where_.c_str(), O_RDONLY | O_CLOEXEC), "the disk"));
        checked(::ioctl(root.get(), shut_down, &without_flushing), "FS_IOC_SHUTDOWN");
    }
    /// Mounts it again, which recovers its journal.
    void restart() override {
        if (!unmount()) throw std::runtime_error("something on the disk is open");
        if (!mount()) throw std::runtime_error("the disk does not come back");
    }
    void become_read_only() const override {
        if (run("mount -o remount,abort " + where_) != 0)
            throw std::runtime_error("the file system cannot be aborted");
    }

  private:
    static int run(const std::string& command) {
        return std::system(
            ("PATH=$PATH:/usr/sbin:/sbin; exec >/dev/null 2>&1; " + command).c_str());
    }
    bool mount() const { return run("mount -o loop " + below_ + "/image " + where_) == 0; }
    bool unmount() const { return run("umount " + where_) == 0; }

    std::string below_;
    std::string where_;
};

}  // namespace upcall::test
