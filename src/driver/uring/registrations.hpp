// What a ring knows in advance, so that it need not look it up for every operation: files, whose
// reference the kernel otherwise takes and drops each time, and memory, whose pages it otherwise
// pins each time.
//
// From Linux 6.14 on (feature::rw_attr). Before 6.13 a file that leaves the table may stay open
// until operations of others have ended.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <upcall/base/buffer.hpp>

#include "driver/uring/ring.hpp"

namespace upcall {

/// The ring's table of files, of which those have a place that are used often.
class file_table {
  public:
    static constexpr std::int16_t no_place = -1;

    /// Registers an empty table with the ring. False: the kernel refuses.
    bool open(ring& ring) noexcept;
    bool is_open() const noexcept { return ring_ != nullptr; }

    /// The place that the file has now, or `no_place` when there is none left.
    std::int16_t add(int fd) noexcept;
    /// The kernel lets go of the file at once: nothing is in flight on it.
    void remove(std::int16_t place) noexcept;

  private:
    ring* ring_ = nullptr;
    std::unique_ptr<std::int16_t[]> free_;
    std::uint32_t free_count_ = 0;
};

/// The memory that is mapped for the ring, by address.
class memory_table {
  public:
    static constexpr int no_index = -1;
    /// As many pieces as may be registered at a time.
    static constexpr std::uint32_t places = 256;

    bool empty() const noexcept { return regions_.empty(); }

    /// 0 or a raw error, with which nothing was registered.
    std::int64_t add(ring& ring, byte_span memory) noexcept;
    /// Transfers in flight keep what they use mapped until they have ended.
    void remove(ring& ring, byte_span memory) noexcept;

    /// The index of the region that holds all of it, or `no_index`.
    int find(const void* from, std::size_t size) const noexcept;

  private:
    struct region {
        const std::byte* begin;
        const std::byte* end;
        std::uint16_t index;
    };
    bool open(ring& ring);

    std::vector<region> regions_;  // by address
    std::vector<std::uint16_t> free_;
    bool open_ = false;
};

}  // namespace upcall
