#include "driver/uring/registrations.hpp"

#include <sys/resource.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <new>

namespace upcall {

using namespace uring_abi;

namespace {

constexpr std::uint32_t file_places = 16384;  // of 8 bytes in the kernel, and 2 here

int register_empty(ring& ring, register_op what, std::uint32_t places) noexcept {
    rsrc_register table{};
    table.nr = places;
    table.flags = rsrc_register_sparse;
    return ring.control(what, &table, sizeof table);
}

/// A table that is as large as the limit of descriptors at most; the kernel refuses larger ones.
std::uint32_t file_places_allowed() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return static_cast<std::uint32_t>(std::min<rlim_t>(limit.rlim_cur, file_places));
}

int set_file(ring& ring, std::int16_t place, std::int32_t fd) noexcept {
    rsrc_update change{};
    change.offset = static_cast<std::uint32_t>(place);
    change.data = reinterpret_cast<std::uint64_t>(&fd);
    return ring.control(register_op::files_update, &change, 1);
}

int set_memory(ring& ring, std::uint16_t index, iovec memory) noexcept {
    rsrc_update2 change{};
    change.offset = index;
    change.data = reinterpret_cast<std::uint64_t>(&memory);
    change.nr = 1;
    return ring.control(register_op::buffers_update, &change, sizeof change);
}

}  // namespace

bool file_table::open(ring& ring) noexcept {
    if (!(ring.features() & feature::rw_attr)) return false;
    const std::uint32_t places = file_places_allowed();
    if (places == 0) return false;
    free_.reset(new (std::nothrow) std::int16_t[places]);
    if (!free_ || register_empty(ring, register_op::files2, places) < 0) return false;
    while (free_count_ < places) {
        free_[free_count_] = static_cast<std::int16_t>(places - 1 - free_count_);
        ++free_count_;
    }
    ring_ = &ring;
    return true;
}

std::int16_t file_table::add(int fd) noexcept {
    if (free_count_ == 0) return no_place;
    const std::int16_t place = free_[free_count_ - 1];
    if (set_file(*ring_, place, fd) != 1) return no_place;
    --free_count_;
    return place;
}

void file_table::remove(std::int16_t place) noexcept {
    set_file(*ring_, place, -1);
    free_[free_count_++] = place;
}

bool memory_table::open(ring& ring) {
    if (open_) return true;
    if (!(ring.features() & feature::rw_attr)) return false;
    regions_.reserve(places);
    free_.reserve(places);
    if (register_empty(ring, register_op::buffers2, places) < 0) return false;
    for (std::uint32_t left = places; left > 0; --left)
        free_.push_back(static_cast<std::uint16_t>(left - 1));
    open_ = true;
    return true;
}

std::int64_t memory_table::add(ring& ring, byte_span memory) noexcept {
    try {
        if (!open(ring)) return -EOPNOTSUPP;
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    if (free_.empty()) return -ENFILE;
    const std::uint16_t index = free_.back();
    const int answer = set_memory(ring, index, {memory.data(), memory.size()});
    if (answer != 1) return answer < 0 ? answer : -EINVAL;
    free_.pop_back();
    const region added{memory.data(), memory.data() + memory.size(), index};
    const auto after =
        std::ranges::upper_bound(regions_, added.begin, std::less<>(), &region::begin);
    regions_.insert(after, added);
    return 0;
}

void memory_table::remove(ring& ring, byte_span memory) noexcept {
    const auto found = std::ranges::find(regions_, memory.data(), &region::begin);
    if (found == regions_.end()) return;
    set_memory(ring, found->index, {});
    free_.push_back(found->index);
    regions_.erase(found);
}

int memory_table::find(const void* from, std::size_t size) const noexcept {
    const auto* begin = static_cast<const std::byte*>(from);
    auto after = std::ranges::upper_bound(regions_, begin, std::less<>(), &region::begin);
    if (after == regions_.begin()) return no_index;
    --after;
    return begin + size <= after->end ? after->index : no_index;
}

}  // namespace upcall
