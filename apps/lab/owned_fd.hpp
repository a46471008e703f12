// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace upcall_lab {

class owned_fd {
  public:
    owned_fd() = default;
    explicit owned_fd(int owned) noexcept : fd_(owned) {}
    owned_fd(owned_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    owned_fd& operator=(owned_fd&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~owned_fd() { close(); }

    int get() const noexcept { return fd_; }
    /// The caller owns it from now on.
    int release() noexcept { return std::exchange(fd_, -1); }
    void close() noexcept {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

}  // namespace upcall_lab
