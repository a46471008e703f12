#include "serve/site.hpp"

#include <array>
#include <chrono>

#include "serve/planted.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

// How long to wait for a descriptor, and how often to look.
constexpr upcall::duration descriptor_wait_max = std::chrono::seconds(5);
constexpr upcall::duration descriptor_wait = std::chrono::milliseconds(20);

std::int64_t unix_now() {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

bool same_file(const file_status& left, const file_status& right) {
    return left.inode == right.inode && left.device == right.device && left.size == right.size &&
           left.modified_ns == right.modified_ns && left.changed_ns == right.changed_ns;
}

std::string name_in(std::string_view path, content_coding coding) {
    return std::string(path) + std::string(coding_suffix(coding));
}

site_answer::kind kind_of_error(const std::error_code& why) {
    using kind = site_answer::kind;
    if (why == std::errc::no_such_file_or_directory || why == std::errc::not_a_directory ||
        why == std::errc::filename_too_long || why == std::errc::invalid_argument)
        return kind::missing;
    // So a socket in the file system answers who opens it.
    if (why == std::errc::no_such_device_or_address) return kind::missing;
    // A symbolic link that leads out of the root, or nowhere: what is there is nobody's business.
    if (why == std::errc::cross_device_link || why == std::errc::too_many_symbolic_link_levels)
        return kind::missing;
    if (is_shortage(why)) return kind::busy;
    if (why == std::errc::permission_denied || why == std::errc::operation_not_permitted)
        return kind::forbidden;
    return kind::failed;
}

}  // namespace

bool is_shortage(const std::error_code& why) {
    return why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system;
}

// With what the disk said of each variant when it was read, to notice that it has changed.
struct site::seen_resource : resource {
    std::array<file_status, 4> seen;
};

task<site_answer> site::find(std::string_view asked) {
    loop& home = *loop::current();
    std::shared_ptr<const resource> stale = std::move(stale_);
    std::string path(asked);
    if (!stale) {
        hot_cache::hit hit = hot_.find(path, home.now());
        if (hit.what && !hit.look_again)
            co_return site_answer{site_answer::kind::file, std::move(hit.what)};
        stale = std::move(hit.what);
    }
    if (stale) {
        const bool current = co_await is_current(path, stale);
        if (current) {
            hot_.confirm(path, home.now());
            co_return site_answer{site_answer::kind::file, std::move(stale)};
        }
        hot_.forget(path);
    }
    site_answer found = co_await load(path);
    if (found.what == site_answer::kind::file) hot_.put(path, found.file, home.now());
    co_return found;
}

task<result<file>> site::open(std::string_view path, content_coding coding) const {
    loop& home = *loop::current();
    const std::string name = name_in(path, coding);
    const time_point until = home.now() + descriptor_wait_max;
    for (;;) {
        auto opened = co_await file::open(name, open_read | open_regular | beneath(), 0, &root_);
        if (opened || !is_shortage(opened.error()) || home.now() >= until) co_return opened;
        const auto paused = co_await sleep(descriptor_wait);
        if (!paused) co_return opened;
    }
}

task<bool> site::is_current(std::string path, std::shared_ptr<const resource> what) {
    const auto& known = static_cast<const seen_resource&>(*what);
    for (const content_coding coding : all_codings) {
        const auto index = static_cast<std::size_t>(coding);
        const bool was_there = known.variants[index].has_value();
        if (!was_there && !settings_.precompressed) continue;
        const auto now = co_await status(name_in(path, coding), &root_, beneath());
        if (!now && is_shortage(now.error())) continue;
        const bool is_there = now && now->type == file_type::regular;
        if (is_there != was_there) co_return false;
        if (is_there && !same_file(*now, known.seen[index])) co_return false;
    }
    co_return true;
}

task<bool> site::is_same(file& opened, std::string_view path, std::shared_ptr<const resource> what,
                         content_coding coding) {
    if (UPCALL_PLANTED("a replaced file is sent under the old head")) co_return true;
    const auto now = co_await opened.status();
    const auto& known = static_cast<const seen_resource&>(*what);
    const bool same = now && same_file(*now, known.seen[static_cast<std::size_t>(coding)]);
    if (!same) hot_.forget(path);
    co_return same;
}

task<std::shared_ptr<const resource>> site::find_missing_page() {
    loop& home = *loop::current();
    if (missing_page_chosen_ || home.now() < no_missing_page_until_) co_return nullptr;
    std::shared_ptr<const resource> kept = find_kept(missing_page_name, home.now());
    if (kept) co_return kept;
    site_answer found = co_await find(missing_page_name);
    if (!found.file) no_missing_page_until_ = home.now() + hot_cache::fresh_for;
    co_return std::move(found.file);
}

task<site_answer> site::load(std::string path) {
    auto made = std::make_shared<seen_resource>();
    const std::error_code why = co_await load_variant(path, content_coding::identity, *made);
    if (why) {
        site_answer answer;
        answer.what = kind_of_error(why);
        if (answer.what != site_answer::kind::forbidden) {
            const bool directory = co_await is_directory(path);
            if (directory) answer.what = site_answer::kind::directory;
        }
        co_return answer;
    }
    if (settings_.precompressed) {
        for (const content_coding coding : all_codings)
            if (coding != content_coding::identity) co_await load_variant(path, coding, *made);
    }
    if (!made->codings().empty()) {
        // The answer depends on the request, and the plain file's head has to say so.
        const file_status& seen = made->seen[0];
        made->variants[0]->entity = file_entity({.bytes = seen.size,
                                                 .modified_ns = seen.modified_ns,
                                                 .inode = seen.inode,
                                                 .path = path,
                                                 .negotiated = true},
                                                unix_now());
    }
    co_return site_answer{site_answer::kind::file, std::move(made)};
}

task<std::error_code> site::load_variant(std::string path, content_coding coding,
                                         seen_resource& into) {
    auto opened = co_await open(path, coding);
    if (!opened) co_return opened.error();
    auto seen = co_await opened->status();
    if (!seen) co_return seen.error();
    std::unique_ptr<std::byte[]> content;
    if (hot_.wants(seen->size)) {
        content = std::make_unique_for_overwrite<std::byte[]>(seen->size);
        const transfer got = co_await opened->read_exactly_at({content.get(), seen->size}, 0);
        if (!got) co_return std::make_error_code(std::errc::io_error);
    }
    const auto index = static_cast<std::size_t>(coding);
    into.seen[index] = *seen;
    into.variants[index].emplace(file_entity({.bytes = seen->size,
                                              .modified_ns = seen->modified_ns,
                                              .inode = seen->inode,
                                              .path = path,
                                              .coding = coding,
                                              .negotiated = coding != content_coding::identity},
                                             unix_now()),
                                 std::move(content));
    co_return std::error_code{};
}

task<bool> site::is_directory(std::string path) {
    auto opened = co_await file::open(path, open_read | open_directory | beneath(), 0, &root_);
    co_return opened.has_value();
}

}  // namespace upcall_serve
