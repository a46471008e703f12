#include "conformance/posix/stalling_files.hpp"

#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace upcall::test {
namespace {

constexpr std::uint64_t file_node = 2;

fuse_attr attributes_of(std::uint64_t node) {
    fuse_attr made{};
    made.ino = node;
    made.nlink = 1;
    made.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
    made.size = node == FUSE_ROOT_ID ? 0 : stalling_files::size;
    made.blksize = 4096;
    return made;
}

}  // namespace

struct stalling_files::request {
    fuse_in_header header;
    const std::byte* body;

    template <class T>
    T as() const {
        T copy;
        std::memcpy(&copy, body, sizeof copy);
        return copy;
    }
};

stalling_files::stalling_files(const std::string& where) : where_(where) {
    device_ = raw_fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device_) {
        refused_ = "there is no /dev/fuse: " + std::generic_category().message(errno);
        return;
    }
    const std::string options =
        "fd=" + std::to_string(device_.get()) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
    if (::mount("stalling", where.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
        refused_ = "FUSE cannot be mounted: " + std::generic_category().message(errno);
        return;
    }
    server_ = std::thread([this] { serve(); });
}

stalling_files::~stalling_files() {
    if (!server_.joinable()) return;
    answer();
    ::umount2(where_.c_str(), MNT_DETACH);  // its last user gone, the device reports the end
    server_.join();
}

void stalling_files::answer() {
    stalls_ = false;
    const std::lock_guard held(mutex_);
    for (const waiting_read& one : waiting_) reply_with_data(one.id, one.length);
    waiting_.clear();
}

std::size_t stalling_files::waiting() {
    const std::lock_guard held(mutex_);
    return waiting_.size();
}

void stalling_files::serve() {
    alignas(8) std::byte room[FUSE_MIN_READ_BUFFER + (128 << 10)];
    for (;;) {
        pollfd next{.fd = device_.get(), .events = POLLIN, .revents = 0};
        const auto patience = std::chrono::milliseconds(stall_max).count();
        if (waiting() > 0 && ::poll(&next, 1, static_cast<int>(patience)) == 0) answer();
        const ssize_t count = ::read(device_.get(), room, sizeof room);
        if (count < 0 && (errno == EINTR || errno == ENOENT)) continue;
        if (count < 0) return;  // ENODEV: unmounted
        request asked{};
        std::memcpy(&asked.header, room, sizeof asked.header);
        asked.body = room + sizeof asked.header;
        handle(asked);
    }
}

void stalling_files::handle(const request& asked) {
    const std::uint64_t id = asked.header.unique;
    switch (asked.header.opcode) {
        case FUSE_INIT: {
            fuse_init_out out{};
            out.major = FUSE_KERNEL_VERSION;
            out.minor = FUSE_KERNEL_MINOR_VERSION;
            out.max_write = 65536;
            return reply(id, 0, &out, sizeof out);
        }
        case FUSE_LOOKUP: {
            if (std::strcmp(reinterpret_cast<const char*>(asked.body), "data") != 0)
                return reply(id, ENOENT);
            fuse_entry_out out{};
            out.nodeid = file_node;
            out.entry_valid = out.attr_valid = 3600;
            out.attr = attributes_of(file_node);
            return reply(id, 0, &out, sizeof out);
        }
        case FUSE_GETATTR: {
            fuse_attr_out out{};
            out.attr_valid = 3600;
            out.attr = attributes_of(asked.header.nodeid);
            return reply(id, 0, &out, sizeof out);
        }
        case FUSE_OPEN: {
            fuse_open_out out{};
            out.open_flags = FOPEN_DIRECT_IO;  // every read comes here
            return reply(id, 0, &out, sizeof out);
        }
        case FUSE_READ: {
            const auto length = std::size_t{asked.as<fuse_read_in>().size};
            const std::lock_guard held(mutex_);
            if (stalls_) return waiting_.push_back({id, length});
            return reply_with_data(id, length);
        }
        case FUSE_WRITE: {
            fuse_write_out out{};
            out.size = asked.as<fuse_write_in>().size;
            return reply(id, 0, &out, sizeof out);
        }
        case FUSE_FLUSH:
            return reply(id, close_error);
        case FUSE_FSYNC:
            ++syncs;
            return reply(id, sync_error);
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR:
            return reply(id, 0);
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:  // this file system cannot be interrupted
            return;
        default:
            return reply(id, ENOSYS);
    }
}

void stalling_files::reply(std::uint64_t to, int error, const void* body, std::size_t length) {
    std::vector<std::byte> out(sizeof(fuse_out_header) + (error == 0 ? length : 0));
    fuse_out_header header{};
    header.len = static_cast<std::uint32_t>(out.size());
    header.error = -error;
    header.unique = to;
    std::memcpy(out.data(), &header, sizeof header);
    if (error == 0 && length > 0) std::memcpy(out.data() + sizeof header, body, length);
    [[maybe_unused]] const auto written = ::write(device_.get(), out.data(), out.size());
}

void stalling_files::reply_with_data(std::uint64_t to, std::size_t length) {
    const std::string data(std::min(length, size), 'x');
    reply(to, 0, data.data(), data.size());
}

}  // namespace upcall::test
