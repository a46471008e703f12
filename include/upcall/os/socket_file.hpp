// The file that a bound Unix socket leaves in a directory: it outlives the socket, and whoever
// binds next finds it in the way.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <upcall/base/result.hpp>

namespace upcall {

/// Removes the socket file at `path` if nobody listens behind it: a connection to it was refused.
/// Returns whether it did. Somebody else may do the same at the same moment, and bind; who needs
/// certainty holds a lock of its own. Blocks as long as the file system does. Unix alone: elsewhere
/// false.
result<bool> remove_stale_socket(const std::string& path) noexcept;

/// A socket file that is to be removed with its socket, unless another has taken its place.
class socket_file {
  public:
    socket_file() = default;
    /// The file at `path` as it is now; one that is not there is nothing to remove.
    explicit socket_file(std::string path) noexcept;
    socket_file(socket_file&& other) noexcept
        : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}
    socket_file& operator=(socket_file&& other) noexcept {
        if (this != &other) {
            remove();
            path_ = std::exchange(other.path_, {});
            device_ = other.device_;
            inode_ = other.inode_;
        }
        return *this;
    }
    ~socket_file() { remove(); }

    /// Removes it now, if it is still the same file.
    void remove() noexcept;

  private:
    std::string path_;
    std::uint64_t device_ = 0;
    std::uint64_t inode_ = 0;
};

}  // namespace upcall
