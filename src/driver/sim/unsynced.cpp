#include "unsynced.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace upcall::sim {
namespace {

constexpr std::size_t sectors_per_page = page_bytes / sector_bytes;
constexpr std::uint8_t all_sectors = 0xff;
static_assert(sectors_per_page == 8);

std::uint8_t sectors_of(std::size_t begin, std::size_t end) noexcept {
    if (begin >= end) return 0;
    const std::size_t first = begin / sector_bytes;
    const std::size_t last = (end - 1) / sector_bytes;
    return static_cast<std::uint8_t>((all_sectors >> (sectors_per_page - 1 - last + first))
                                     << first);
}

page content_of(const page_map& cache, std::uint64_t number) {
    const auto found = cache.find(number);
    return found == cache.end() ? page{} : found->second;
}

void copy_sectors(page& to, const page& from, std::uint8_t sectors) noexcept {
    for (std::size_t at = 0; at < sectors_per_page; ++at)
        if (sectors & (1U << at))
            std::memcpy(to.data() + at * sector_bytes, from.data() + at * sector_bytes,
                        sector_bytes);
}

/// What becomes of what is on its way when the power fails: all of it arrives, none, or some.
enum class fate : std::uint8_t { arrives, is_lost, is_drawn };

}  // namespace

unsynced::difference& unsynced::of(const page_map& cache, std::uint64_t number) {
    const auto [at, added] = pages_.try_emplace(number);
    if (added) at->second.on_disk = content_of(cache, number);
    return at->second;
}

void unsynced::will_change(const page_map& cache, std::uint64_t number, std::size_t begin,
                           std::size_t end, bool written_back) {
    const std::uint8_t sectors = sectors_of(begin, end);
    difference& here = of(cache, number);
    if (written_back) copy_sectors(here.on_disk, content_of(cache, number), here.dirty);
    here.dirty |= sectors;
    here.missed = static_cast<std::uint8_t>(here.missed & ~sectors);
}

void unsynced::settle(const page_map& cache, std::uint64_t number, std::uint8_t sectors) {
    const auto found = pages_.find(number);
    difference& here = found->second;
    const auto written = static_cast<std::uint8_t>(here.dirty & sectors);
    copy_sectors(here.on_disk, content_of(cache, number), written);
    here.dirty = static_cast<std::uint8_t>(here.dirty & ~written);
    if (here.dirty == 0 && here.missed == 0) pages_.erase(found);
}

void unsynced::sync(const page_map& cache) {
    for (auto at = pages_.begin(); at != pages_.end();) {
        const std::uint64_t number = at++->first;
        settle(cache, number, all_sectors);
    }
}

void unsynced::sync(const page_map& cache, std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t end = offset + size;
    for (auto at = pages_.lower_bound(offset / page_bytes);
         at != pages_.end() && at->first * page_bytes < end;) {
        const std::uint64_t number = at++->first;
        const std::uint64_t start = number * page_bytes;
        const auto from = static_cast<std::size_t>(std::max(offset, start) - start);
        const auto to = static_cast<std::size_t>(std::min<std::uint64_t>(end - start, page_bytes));
        settle(cache, number, sectors_of(from, to));
    }
}

void unsynced::fail_to_sync(const page_map& cache, choices& choice) {
    for (auto& [number, here] : pages_) {
        const auto written = static_cast<std::uint8_t>(choice.below(2) ? 0 : here.dirty);
        copy_sectors(here.on_disk, content_of(cache, number), written);
        here.missed |= static_cast<std::uint8_t>(here.dirty & ~written);
        here.dirty = 0;
    }
    std::erase_if(pages_, [](const auto& entry) { return entry.second.missed == 0; });
}

void unsynced::misdirect(const page_map& cache, std::uint64_t from, std::uint64_t to) {
    difference& hit = of(cache, to);
    hit.on_disk = content_of(cache, from);
    hit.missed = all_sectors;
    hit.dirty = 0;  // its own write, if there was one, came before
    difference& missing = of(cache, from);
    missing.missed |= missing.dirty;
    missing.dirty = 0;
}

void unsynced::lose_power(page_map& cache, choices& choice) {
    const auto what = static_cast<fate>(choice.below(3));
    for (auto& [number, here] : std::exchange(pages_, {})) {
        std::uint8_t arrives = what == fate::arrives ? here.dirty : std::uint8_t{0};
        if (what == fate::is_drawn)
            arrives = static_cast<std::uint8_t>(here.dirty & choice.below(256));
        copy_sectors(here.on_disk, content_of(cache, number), arrives);
        const auto gone = static_cast<std::uint8_t>((here.dirty & ~arrives) | here.missed);
        if (gone == 0) continue;
        copy_sectors(cache[number], here.on_disk, gone);
    }
}

bool unsynced::has_dirty() const noexcept { return first_dirty() != UINT64_MAX; }

std::uint64_t unsynced::first_dirty() const noexcept {
    for (const auto& [number, here] : pages_)
        if (here.dirty != 0) return number;
    return UINT64_MAX;
}

}  // namespace upcall::sim
