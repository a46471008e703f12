// The files of the Unix sockets that a server listens on.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <upcall/os/socket_file.hpp>

namespace upcall_serve {

// Removes the files in good time: while the sockets are open. Once they are closed another server
// may take a file's place, and even its inode number, and would lose its own. Any thread.
class socket_files {
  public:
    // The file at `path`, which a socket was just bound to.
    void add(std::string path) {
        const std::lock_guard held(mutex_);
        files_.emplace_back(std::move(path));
    }
    // Nobody is to find the server any more. Again: does nothing.
    void remove() noexcept {
        const std::lock_guard held(mutex_);
        files_.clear();
    }

  private:
    std::mutex mutex_;
    std::vector<upcall::socket_file> files_;
};

}  // namespace upcall_serve
