// The files that are asked for most, in memory, for one loop. A file that changes on disk is
// noticed within a second: the first request for it after that time is told to look again.
//
//     auto hit = cache.find(path, now);
//     if (hit.what && !hit.look_again) return send(*hit.what);
//     // look at the disk; then put() what is there now, confirm() that nothing changed,
//     // or forget() what is gone
//
// One thread at a time. What `find` returned stays alive for as long as it is held, also when the
// cache has dropped it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "serve/content_coding.hpp"
#include "serve/file_entity.hpp"

namespace upcall_serve {

// A file with its precompressed siblings: everything that one path can be answered with.
struct resource {
    struct variant {
        file_entity entity;
        std::unique_ptr<std::byte[]> content;  // entity.bytes() of them; null if read when sent
    };

    // By coding; identity is always there.
    std::array<std::optional<variant>, 4> variants;

    variant& operator[](content_coding coding) {
        return *variants[static_cast<std::size_t>(coding)];
    }
    const variant& operator[](content_coding coding) const {
        return *variants[static_cast<std::size_t>(coding)];
    }

    // Those there are besides identity.
    coding_set codings() const;

    // What all contents together take.
    std::uint64_t content_bytes() const;
};

class hot_cache {
  public:
    using time = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::seconds fresh_for{1};

    // What an entry takes besides its contents and its path, more or less: it counts too, or
    // many empty files would have no limit.
    static constexpr std::uint64_t entry_bytes = 1024;

    // At most `bytes_max` in all; 0 keeps nothing.
    hot_cache(std::uint64_t bytes_max, std::uint64_t file_max)
        : bytes_max_(bytes_max), file_max_(file_max) {}

    // A content of this size is worth reading whole, to be put here.
    bool wants(std::uint64_t content_bytes) const {
        return content_bytes <= file_max_ && content_bytes + entry_bytes <= bytes_max_;
    }

    struct hit {
        std::shared_ptr<const resource> what;  // null: not here
        bool look_again = false;               // told to one caller each second
    };
    hit find(std::string_view path, time now);

    // Keeps `what` under `path`, in place of what was there, and drops the entries that have not
    // been asked for longest until all fits. What does not fit alone is not kept. Throws
    // std::bad_alloc, and then nothing has changed.
    void put(std::string_view path, std::shared_ptr<const resource> what, time now);

    // What is kept under `path` is still what the disk has.
    void confirm(std::string_view path, time now);
    void forget(std::string_view path);

    std::uint64_t bytes() const { return bytes_; }
    std::size_t entries() const { return entries_.size(); }

  private:
    struct entry {
        std::string path;
        std::shared_ptr<const resource> what;
        std::uint64_t bytes;
        time look_again;
    };
    using place = std::list<entry>::iterator;

    void drop(place at);

    std::uint64_t bytes_max_;
    std::uint64_t file_max_;
    std::uint64_t bytes_ = 0;
    std::list<entry> entries_;                             // the last one asked for first
    std::unordered_map<std::string_view, place> by_path_;  // the keys are the entries' paths
};

}  // namespace upcall_serve
