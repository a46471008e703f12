// What of a file the disk does not hold yet: for every page that differs, what the disk has there.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include <upcall/base/buffer.hpp>
#include <upcall/driver/choices.hpp>

namespace upcall::sim {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t sector_bytes = 512;
using page = std::array<std::byte, page_bytes>;
using page_map = std::map<std::uint64_t, page>;

/// Sectors are what a disk writes whole or not at all. The contents that the program sees are in
/// the cache, a page_map in which a page that is not there is zero.
class unsynced {
  public:
    /// Before bytes of a page change. With `written_back` the disk first gets what the page holds.
    void will_change(const page_map& cache, std::uint64_t number, std::size_t begin,
                     std::size_t end, bool written_back = false);

    /// The disk gets it: all of the file, or these bytes.
    void sync(const page_map& cache);
    void sync(const page_map& cache, std::uint64_t offset, std::uint64_t size);
    /// The disk gets some of it and fails; the kernel takes the rest for written.
    void fail_to_sync(const page_map& cache, choices& choice);
    /// One page that is on its way to the disk lands on another one of this file, which is not.
    void misdirect(const page_map& cache, std::uint64_t from, std::uint64_t to);

    /// The power is gone: what the disk holds, of each sector that was on its way this or that, is
    /// put into the cache.
    void lose_power(page_map& cache, choices& choice);

    bool has_dirty() const noexcept;
    std::uint64_t first_dirty() const noexcept;

  private:
    struct difference {
        page on_disk{};
        std::uint8_t dirty = 0;   // sectors that a sync would write
        std::uint8_t missed = 0;  // sectors that the kernel takes for written
    };

    difference& of(const page_map& cache, std::uint64_t number);
    void settle(const page_map& cache, std::uint64_t number, std::uint8_t sectors);

    std::map<std::uint64_t, difference> pages_;
};

}  // namespace upcall::sim
