#include <upcall/os/socket_file.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <upcall/os/descriptor.hpp>

namespace upcall {
namespace {

std::unexpected<std::error_code> last_error() noexcept {
    return failure({errno, std::generic_category()});
}

/// Connecting to a Unix socket never waits: it is refused, or its queue is full, at once.
int try_to_connect(const std::string& path, int type) noexcept {
    sockaddr_un peer{};
    if (path.size() >= sizeof peer.sun_path) return ENAMETOOLONG;
    peer.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), peer.sun_path);
    const descriptor probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!probe) return errno;
    if (::connect(static_cast<int>(probe.get()), reinterpret_cast<sockaddr*>(&peer), sizeof peer) ==
        0)
        return 0;
    return errno;
}

}  // namespace

result<bool> remove_stale_socket(const std::string& path) noexcept {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0)
        return errno == ENOENT ? result<bool>(false) : last_error();
    if (!S_ISSOCK(found.st_mode)) return false;
    // A socket of another type says so before it says whether anybody is there.
    int outcome = EPROTOTYPE;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        if (outcome != EPROTOTYPE) break;
        outcome = try_to_connect(path, type);
    }
    if (outcome != ECONNREFUSED) return false;
    if (::unlink(path.c_str()) != 0) return last_error();
    return true;
}

socket_file::socket_file(std::string path) noexcept : path_(std::move(path)) {
    struct stat found{};
    if (::lstat(path_.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) {
        path_.clear();
        return;
    }
    device_ = found.st_dev;
    inode_ = found.st_ino;
}

void socket_file::remove() noexcept {
    if (path_.empty()) return;
    const std::string path = std::exchange(path_, {});
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) return;
    if (found.st_dev == device_ && found.st_ino == inode_) ::unlink(path.c_str());
}

}  // namespace upcall
