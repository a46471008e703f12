// Reading blocks of one file, many at once, by the bare kernel interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace upcall_lab {

class read_engine {
  public:
    read_engine() = default;
    read_engine(const read_engine&) = delete;
    read_engine& operator=(const read_engine&) = delete;
    virtual ~read_engine() = default;

    /// Notes a read for `slot`, which is free; the kernel need not know of it yet.
    virtual void prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) = 0;
    /// Hands over what was prepared, waits until so many have ended, and adds the slots of those
    /// that have. Throws lab_error when a read failed or was short.
    virtual void hand_over(unsigned wait_for, std::vector<unsigned>& ended) = 0;
};

enum class read_way { plain, ring, ring_twice, linux_aio, posix_aio, posix_aio_list };

/// "io_uring", "Linux AIO", …
std::string name_of(read_way way);

/// `slots` reads at once of `file`, which stays open meanwhile. Throws lab_error.
std::unique_ptr<read_engine> make_read_engine(read_way way, int file, unsigned slots);

/// Throws lab_error unless a read brought all that was asked for.
void expect_whole(const char* by, std::int64_t result, std::size_t size);

}  // namespace upcall_lab
