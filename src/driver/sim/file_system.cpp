#include "file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "object.hpp"

namespace upcall::sim {
namespace {

constexpr std::size_t name_max = 255;
constexpr std::size_t path_max = 4095;

void touch(file_node& node, time_point now) noexcept {
    node.modified_ns = node.changed_ns = now.time_since_epoch().count();
}

bool is_within(const file_reference& node, const file_reference& directory) {
    for (file_reference at = node; at; at = at->parent.lock())
        if (at == directory) return true;
    return false;
}

}  // namespace

file_system::file_system(std::uint64_t disk_bytes)
    : root_(std::make_shared<file_node>()), pages_max_(disk_bytes / page_bytes) {
    root_->inode = inodes_++;
    root_->type = file_type::directory;
    root_->permissions = 0755;
    root_->links = 2;
}

result<file_system::place> file_system::resolve(const file_reference& from, std::string_view path,
                                                bool beneath) const {
    if (path.empty()) return errno_failure(ENOENT);
    if (path.size() > path_max) return errno_failure(ENAMETOOLONG);
    const bool absolute = path.front() == '/';
    if (absolute && beneath) return errno_failure(EXDEV);
    place at{nullptr, {}, absolute ? root_ : from};
    while (!path.empty()) {
        const auto end = path.find('/');
        const auto name = path.substr(0, end);
        path.remove_prefix(end == path.npos ? path.size() : end + 1);
        if (name.empty()) continue;
        if (!at.node) return errno_failure(ENOENT);
        if (!at.node->is_directory()) return errno_failure(ENOTDIR);
        if (name.size() > name_max) return errno_failure(ENAMETOOLONG);
        if (name == ".") continue;
        if (name == "..") {
            if (beneath && at.node == from) return errno_failure(EXDEV);
            if (auto parent = at.node->parent.lock()) at.node = std::move(parent);
            at.directory = nullptr;
            continue;
        }
        const auto found = at.node->entries.find(name);
        at.directory = at.node;
        at.name = name;
        at.node = found == at.node->entries.end() ? nullptr : found->second;
    }
    return at;
}

file_reference file_system::make(const place& where, file_type type, std::uint32_t mode,
                                 time_point now) {
    auto* used = new std::shared_ptr<std::uint64_t>(pages_used_);
    // The pages go back to the disk when neither a name nor an open file needs them any more.
    file_reference made(new file_node, [used](file_node* node) {
        **used -= node->pages.size();
        delete node;
        delete used;
    });
    made->inode = inodes_++;
    made->type = type;
    made->permissions = mode & 0777;
    made->links = type == file_type::directory ? 2U : 1U;
    made->parent = where.directory;
    touch(*made, now);
    where.directory->entries.emplace(where.name, made);
    journal_.add({now, where.directory, where.name, made, nullptr, {}});
    if (type == file_type::directory) ++where.directory->links;
    touch(*where.directory, now);
    return made;
}

result<file_reference> file_system::open(const file_reference& from, std::string_view path,
                                         std::uint32_t options, std::uint32_t mode,
                                         time_point now) {
    if (!(options & (open_read | open_write))) return errno_failure(EINVAL);
    const auto found = resolve(from, path, options & open_beneath);
    if (!found) return failure(found.error());
    if (!found->node) {
        if (!(options & open_create) || (options & open_directory)) return errno_failure(ENOENT);
        if (path.ends_with('/')) return errno_failure(EISDIR);
        return make(*found, file_type::regular, mode, now);
    }
    file_node& node = *found->node;
    if ((options & open_create) && (options & open_exclusive)) return errno_failure(EEXIST);
    if (node.is_directory()) {
        if (options & (open_write | open_create | open_regular)) return errno_failure(EISDIR);
    } else if ((options & open_directory) || path.ends_with('/')) {
        return errno_failure(ENOTDIR);
    }
    if ((options & open_truncate) && (options & open_write)) truncate(node, 0, now);
    return found->node;
}

result<file_reference> file_system::find(const file_reference& from, std::string_view path) const {
    auto found = resolve(from, path);
    if (!found) return failure(found.error());
    if (!found->node) return errno_failure(ENOENT);
    if (path.ends_with('/') && !found->node->is_directory()) return errno_failure(ENOTDIR);
    return std::move(found->node);
}

result<void> file_system::make_directory(const file_reference& from, std::string_view path,
                                         std::uint32_t mode, time_point now) {
    const auto found = resolve(from, path);
    if (!found) return failure(found.error());
    if (found->node) return errno_failure(EEXIST);
    make(*found, file_type::directory, mode, now);
    return {};
}

void file_system::unlink(const place& where, time_point now) {
    where.node->links -= where.node->is_directory() ? 2U : 1U;
    where.node->changed_ns = now.time_since_epoch().count();
    if (where.node->is_directory()) --where.directory->links;
    touch(*where.directory, now);
    where.directory->entries.erase(where.name);
}

result<void> file_system::remove_file(const file_reference& from, std::string_view path,
                                      time_point now) {
    const auto found = resolve(from, path);
    if (!found) return failure(found.error());
    if (!found->node) return errno_failure(ENOENT);
    if (found->node->is_directory()) return errno_failure(EISDIR);
    if (path.ends_with('/')) return errno_failure(ENOTDIR);
    unlink(*found, now);
    journal_.add({now, found->directory, found->name, nullptr, nullptr, {}});
    return {};
}

result<void> file_system::remove_directory(const file_reference& from, std::string_view path,
                                           time_point now) {
    const auto found = resolve(from, path);
    if (!found) return failure(found.error());
    if (!found->node) return errno_failure(ENOENT);
    if (!found->node->is_directory()) return errno_failure(ENOTDIR);
    if (!found->directory) return errno_failure(found->node == root_ ? EBUSY : EINVAL);
    if (!found->node->entries.empty()) return errno_failure(ENOTEMPTY);
    unlink(*found, now);
    journal_.add({now, found->directory, found->name, nullptr, nullptr, {}});
    return {};
}

result<void> file_system::rename(const file_reference& from, std::string_view path,
                                 std::string_view other, time_point now) {
    const auto source = resolve(from, path);
    if (!source) return failure(source.error());
    const auto target = resolve(from, other);
    if (!target) return failure(target.error());
    if (!source->node) return errno_failure(ENOENT);
    if (!source->directory || !target->directory) return errno_failure(EBUSY);
    if (source->node == target->node) return {};
    const bool directory = source->node->is_directory();
    if (directory && is_within(target->directory, source->node)) return errno_failure(EINVAL);
    if (!directory && other.ends_with('/')) return errno_failure(ENOTDIR);
    if (target->node) {
        if (directory && !target->node->is_directory()) return errno_failure(ENOTDIR);
        if (!directory && target->node->is_directory()) return errno_failure(EISDIR);
        if (!target->node->entries.empty()) return errno_failure(ENOTEMPTY);
        unlink(*target, now);
    }
    source->directory->entries.erase(source->name);
    target->directory->entries.emplace(target->name, source->node);
    source->node->parent = target->directory;
    if (directory) {
        --source->directory->links;
        ++target->directory->links;
    }
    touch(*source->directory, now);
    touch(*target->directory, now);
    journal_.add(
        {now, target->directory, target->name, source->node, source->directory, source->name});
    return {};
}

// ---- contents -----------------------------------------------------------------------------------

std::size_t file_system::read(const file_node& file, std::uint64_t offset, byte_span to) {
    if (offset >= file.size) return 0;
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), file.size - offset));
    for (std::size_t done = 0; done < count;) {
        const std::uint64_t at = offset + done;
        const auto within = static_cast<std::size_t>(at % page_bytes);
        const std::size_t length = std::min(page_bytes - within, count - done);
        const auto found = file.pages.find(at / page_bytes);
        if (found == file.pages.end())
            std::memset(to.data() + done, 0, length);  // a hole
        else
            std::memcpy(to.data() + done, found->second.data() + within, length);
        done += length;
    }
    return count;
}

// What was removed keeps its room until the disk has learned of it.
bool file_system::has_room(std::uint64_t pages) {
    if (pages_max_ - *pages_used_ >= pages) return true;
    journal_.sync_all();
    return pages_max_ - *pages_used_ >= pages;
}

page* file_system::page_of(file_node& file, std::uint64_t number) {
    const auto found = file.pages.find(number);
    if (found != file.pages.end()) return &found->second;
    if (!has_room(1)) return nullptr;
    ++*pages_used_;
    return &file.pages.emplace(number, page{}).first->second;
}

result<std::size_t> file_system::write(file_node& file, std::uint64_t offset, byte_view from,
                                       time_point now, bool written_back) {
    std::size_t done = 0;
    while (done < from.size()) {
        const std::uint64_t at = offset + done;
        const auto within = static_cast<std::size_t>(at % page_bytes);
        const std::size_t length = std::min(page_bytes - within, from.size() - done);
        page* here = page_of(file, at / page_bytes);
        if (!here) break;
        file.behind.will_change(file.pages, at / page_bytes, within, within + length, written_back);
        std::memcpy(here->data() + within, from.data() + done, length);
        done += length;
    }
    if (done == 0 && !from.empty()) return errno_failure(ENOSPC);
    if (done > 0) file.size = std::max(file.size, offset + done);
    touch(file, now);
    return done;
}

void file_system::truncate(file_node& file, std::uint64_t size, time_point now) {
    if (size < file.size) {
        const auto first_gone = (size + page_bytes - 1) / page_bytes;
        const auto begin = file.pages.lower_bound(first_gone);
        for (auto at = begin; at != file.pages.end(); ++at)
            file.behind.will_change(file.pages, at->first, 0, page_bytes);
        *pages_used_ -= static_cast<std::uint64_t>(std::distance(begin, file.pages.end()));
        file.pages.erase(begin, file.pages.end());
        const auto kept = file.pages.find(size / page_bytes);
        const auto within = static_cast<std::size_t>(size % page_bytes);
        if (kept != file.pages.end()) {  // growing again must find zeros
            file.behind.will_change(file.pages, kept->first, within, page_bytes);
            std::memset(kept->second.data() + within, 0, page_bytes - within);
        }
    }
    file.size = size;
    touch(file, now);
}

result<void> file_system::allocate(file_node& file, std::uint64_t offset, std::uint64_t size,
                                   time_point now) {
    const std::uint64_t first = offset / page_bytes;
    const std::uint64_t last = (offset + size - 1) / page_bytes;
    const auto had = static_cast<std::uint64_t>(
        std::distance(file.pages.lower_bound(first), file.pages.upper_bound(last)));
    if (!has_room(last - first + 1 - had)) return errno_failure(ENOSPC);
    for (std::uint64_t number = first; number <= last; ++number) page_of(file, number);
    file.size = std::max(file.size, offset + size);
    touch(file, now);
    return {};
}

// ---- what the disk holds ------------------------------------------------------------------------

void file_system::sync(file_node& of) {
    if (of.is_directory()) return journal_.sync(of);
    of.behind.sync(of.pages);
    of.size_on_disk = of.size;
}

void file_system::sync_range(file_node& of, std::uint64_t offset, std::uint64_t size) {
    of.behind.sync(of.pages, offset, size);
    of.size_on_disk = of.size;
}

void file_system::fail_to_sync(file_node& of, choices& choice) {
    of.behind.fail_to_sync(of.pages, choice);
    if (choice.below(2) == 0) of.size_on_disk = of.size;
}

void file_system::misdirect(file_node& of, choices& choice) {
    const std::uint64_t from = of.behind.first_dirty();
    if (of.pages.size() < 2 || from == UINT64_MAX) return;
    auto to = of.pages.begin();
    std::advance(to, static_cast<std::ptrdiff_t>(choice.below(of.pages.size())));
    if (to->first != from) of.behind.misdirect(of.pages, from, to->first);
}

void file_system::lose_power(choices& choice) {
    journal_.lose_power(choice);
    remount(root_, choice);
}

void file_system::remount(const file_reference& directory, choices& choice) {
    directory->entries = directory->entries_on_disk;
    directory->links = 2;
    for (const auto& [name, node] : directory->entries) {
        node->parent = directory;
        if (node->is_directory()) {
            ++directory->links;
            remount(node, choice);
        } else {
            node->links = 1;
            lose_power(*node, choice);
        }
    }
}

// Sizes and contents reach the disk each for itself: a file may have grown and hold zeros.
void file_system::lose_power(file_node& file, choices& choice) {
    const std::size_t before = file.pages.size();
    file.behind.lose_power(file.pages, choice);
    *pages_used_ += file.pages.size() - before;
    if (file.size != file.size_on_disk && choice.below(2) != 0) {
        const std::uint64_t size = file.size_on_disk;
        if (size < file.size) truncate(file, size, time_point(duration(file.modified_ns)));
        file.size = size;
    }
    file.behind = {};
    file.size_on_disk = file.size;
}

// ---- what is said of files ----------------------------------------------------------------------

file_status file_system::status_of(const file_node& file) {
    file_status status;
    status.type = file.type;
    status.permissions = file.permissions;
    status.size = file.is_directory() ? page_bytes : file.size;
    status.device = 1;
    status.inode = file.inode;
    status.links = file.links;
    status.modified_ns = file.modified_ns;
    status.changed_ns = file.changed_ns;
    status.direct_memory_alignment = file.is_directory() ? 0 : 512;
    status.direct_offset_alignment = file.is_directory() ? 0 : 512;
    return status;
}

std::vector<directory_entry> file_system::entries_of(const file_node& directory) {
    std::vector<directory_entry> all;
    for (const auto& [name, node] : directory.entries) all.push_back({name, node->type});
    return all;
}

}  // namespace upcall::sim
