// A file system whose one file answers when it is told to: what a hung disk or network does, at
// will. It speaks the kernel's FUSE protocol on a thread of this process.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/posix/raw.hpp"

namespace upcall::test {

/// Lives in a process that has mounts of its own. The file is `data`, of 1 MiB of 'x'.
class stalling_files {
  public:
    static constexpr std::size_t size = std::size_t{1} << 20;
    static constexpr std::chrono::seconds stall_max{5};

    /// Mounts it on `where`, a folder that is there. `refused` tells why not, if so.
    explicit stalling_files(const std::string& where);
    stalling_files(const stalling_files&) = delete;
    stalling_files& operator=(const stalling_files&) = delete;
    ~stalling_files();

    const std::string& refused() const noexcept { return refused_; }

    /// Reads wait from now on, until `answer`, but for `stall_max` at most: a process in which the
    /// loop itself waits for its own file could not even be killed.
    void stall() { stalls_ = true; }
    /// Answers all reads that wait, and those that come.
    void answer();
    /// Reads that wait now.
    std::size_t waiting();

    /// What the last close of the file, or its synchronization, answers: an errno.
    std::atomic<int> close_error = 0;
    std::atomic<int> sync_error = 0;
    std::atomic<int> syncs = 0;

  private:
    struct request;

    void serve();
    void handle(const request& asked);
    void reply(std::uint64_t to, int error, const void* body = nullptr, std::size_t length = 0);
    void reply_with_data(std::uint64_t to, std::size_t length);

    std::string where_;
    std::string refused_;
    raw_fd device_;
    std::atomic<bool> stalls_ = false;
    std::mutex mutex_;
    struct waiting_read {
        std::uint64_t id;
        std::size_t length;
    };
    std::vector<waiting_read> waiting_;
    std::thread server_;
};

}  // namespace upcall::test
