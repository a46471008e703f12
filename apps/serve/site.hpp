// The files beneath the root, as one loop sees them: opened safely, the hot ones kept.
//
// What is kept is looked at again once a second of use, so a changed file is noticed within that
// time. Not thread-safe: one site per loop.
#pragma once

#include <upcall/upcall.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "serve/hot_cache.hpp"
#include "serve/options.hpp"

namespace upcall_serve {

// Whether all descriptors are in use, of this process or the host: others will come free.
bool is_shortage(const std::error_code& why);

// Shown for what is missing, where the root has it.
inline constexpr std::string_view missing_page_name = "404.html";

// What a path names.
struct site_answer {
    enum class kind : std::uint8_t { file, directory, missing, forbidden, busy, failed };

    kind what = kind::missing;
    std::shared_ptr<const resource> file;  // with kind::file
};

class site {
  public:
    // `root` is an open directory that outlives the site.
    site(const options& settings, const upcall::file& root)
        : settings_(settings),
          root_(root),
          hot_(settings.cache_bytes, settings.cache_file_max),
          missing_page_chosen_(std::ranges::any_of(
              settings.error_pages, [](const auto& page) { return page.first == 404; })) {}

    // What `path` (a target_path) names.
    upcall::task<site_answer> find(std::string_view path);

    // As `find`, but only if that needs no look at the disk; null otherwise.
    std::shared_ptr<const resource> find_kept(std::string_view path, upcall::time_point now) {
        hot_cache::hit hit = hot_.find(path, now);
        if (!hit.look_again) return std::move(hit.what);
        stale_ = std::move(hit.what);
        return nullptr;
    }

    // Opens the file that `path` names in one coding, for what is too large to keep. Waits a while
    // when there are no descriptors left.
    upcall::task<upcall::result<upcall::file>> open(std::string_view path,
                                                    content_coding coding) const;

    // Whether `opened`, the file of one coding of `what`, is the one that `what` tells of. If not,
    // `path` is forgotten, and found anew the next time.
    upcall::task<bool> is_same(upcall::file& opened, std::string_view path,
                               std::shared_ptr<const resource> what, content_coding coding);

    // The page for what is missing: 404.html in the root. Null if there is none, or another was
    // chosen.
    upcall::task<std::shared_ptr<const resource>> find_missing_page();

    // Ways to look at what is beneath the root, and at nothing else.
    std::uint32_t beneath() const {
        return upcall::open_beneath | (settings_.symlinks ? 0U : upcall::open_no_symlinks);
    }

    const upcall::file& root() const { return root_; }

  private:
    struct seen_resource;

    upcall::task<site_answer> load(std::string path);
    upcall::task<std::error_code> load_variant(std::string path, content_coding coding,
                                               seen_resource& into);
    upcall::task<bool> is_current(std::string path, std::shared_ptr<const resource> what);
    upcall::task<bool> is_directory(std::string path);

    const options& settings_;
    const upcall::file& root_;
    hot_cache hot_;
    bool missing_page_chosen_;
    upcall::time_point no_missing_page_until_{};
    std::shared_ptr<const resource> stale_;  // found by find_kept, for find to look at again
};

}  // namespace upcall_serve
