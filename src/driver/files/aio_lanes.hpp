// Several descriptors of one open file. glibc works on one request of a descriptor at a time, so
// reads that are to overlap at the disk have to come over different ones.
//
// The duplicates live until the file is closed or released, and not a moment less: closing one
// gives up the fcntl(2) locks that the process has on the file, so a file that is released loses
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <upcall/driver/handle.hpp>

namespace upcall {

class aio_lanes {
  public:
    /// Of one file, the descriptor itself included.
    static constexpr unsigned per_file = 8;

    aio_lanes() = default;
    aio_lanes(const aio_lanes&) = delete;
    aio_lanes& operator=(const aio_lanes&) = delete;
    ~aio_lanes();

    /// The descriptor for the next request: one without any in flight, a new one, or the one with
    /// the fewest.
    int take(const handle_record& file) noexcept;
    /// That request has ended.
    void give_back(const handle_record& file, int fd) noexcept;
    /// The file is being closed; nothing is in flight on it.
    void forget(const handle_record& file) noexcept;

  private:
    struct lane {
        const handle_record* of = nullptr;  // null: free
        int fd = -1;
        unsigned in_flight = 0;
    };

    static void close(lane& left) noexcept;

    std::array<lane, 64> lanes_{};
};

}  // namespace upcall
