#include "serve/hot_cache.hpp"

#include <iterator>

namespace upcall_serve {

coding_set resource::codings() const {
    coding_set set;
    for (content_coding coding : {content_coding::gzip, content_coding::zstd, content_coding::br})
        if (variants[static_cast<std::size_t>(coding)]) set.add(coding);
    return set;
}

std::uint64_t resource::content_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& each : variants)
        if (each && each->content) bytes += each->entity.bytes();
    return bytes;
}

hot_cache::hit hot_cache::find(std::string_view path, time now) {
    const auto found = by_path_.find(path);
    if (found == by_path_.end()) return {};
    const place at = found->second;
    entries_.splice(entries_.begin(), entries_, at);
    const bool look_again = now >= at->look_again;
    if (look_again) at->look_again = now + fresh_for;
    return {at->what, look_again};
}

void hot_cache::put(std::string_view path, std::shared_ptr<const resource> what, time now) {
    const std::uint64_t bytes = what->content_bytes() + path.size() + entry_bytes;
    if (bytes > bytes_max_) return forget(path);
    // All that needs memory comes first, and changes nothing.
    std::list<entry> made;
    made.push_front({std::string(path), std::move(what), bytes, now + fresh_for});
    decltype(by_path_) made_by_path;
    made_by_path.emplace(made.front().path, made.begin());
    by_path_.reserve(by_path_.size() + 1);

    forget(path);
    while (bytes_ + bytes > bytes_max_) drop(std::prev(entries_.end()));
    entries_.splice(entries_.begin(), made);
    by_path_.insert(made_by_path.extract(made_by_path.begin()));
    bytes_ += bytes;
}

void hot_cache::confirm(std::string_view path, time now) {
    const auto found = by_path_.find(path);
    if (found != by_path_.end()) found->second->look_again = now + fresh_for;
}

void hot_cache::forget(std::string_view path) {
    const auto found = by_path_.find(path);
    if (found != by_path_.end()) drop(found->second);
}

void hot_cache::drop(place at) {
    by_path_.erase(at->path);
    bytes_ -= at->bytes;
    entries_.erase(at);
}

}  // namespace upcall_serve
