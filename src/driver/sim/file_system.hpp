// Files and directories as a program sees them: in the cache. What the disk holds of them, and what
// is left when the power fails, is the business of unsynced.hpp and journal.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <upcall/base/buffer.hpp>
#include <upcall/base/clock.hpp>
#include <upcall/driver/file_call.hpp>

#include "journal.hpp"
#include "unsynced.hpp"

namespace upcall::sim {

/// What stands behind a name; lives as long as a name or an open file needs it.
struct file_node {
    std::uint64_t inode = 0;
    file_type type = file_type::regular;
    std::uint32_t permissions = 0;
    std::uint64_t links = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;

    // A regular file.
    std::uint64_t size = 0;
    page_map pages;
    unsynced behind;
    std::uint64_t size_on_disk = 0;

    // A directory.
    std::map<std::string, std::shared_ptr<file_node>, std::less<>> entries;
    std::weak_ptr<file_node> parent;
    std::map<std::string, std::shared_ptr<file_node>, std::less<>> entries_on_disk;

    bool is_directory() const noexcept { return type == file_type::directory; }
};

/// All errors are errno values, as the calls of the same name on Linux give them.
class file_system {
  public:
    explicit file_system(std::uint64_t disk_bytes);

    const file_reference& root() const noexcept { return root_; }

    /// A file for reading and writing; `options` are open_options.
    result<file_reference> open(const file_reference& from, std::string_view path,
                                std::uint32_t options, std::uint32_t mode, time_point now);
    result<file_reference> find(const file_reference& from, std::string_view path) const;
    result<void> make_directory(const file_reference& from, std::string_view path,
                                std::uint32_t mode, time_point now);
    result<void> remove_file(const file_reference& from, std::string_view path, time_point now);
    result<void> remove_directory(const file_reference& from, std::string_view path,
                                  time_point now);
    result<void> rename(const file_reference& from, std::string_view path, std::string_view other,
                        time_point now);

    static std::size_t read(const file_node& file, std::uint64_t offset, byte_span to);
    /// May write less than all when the disk is full; ENOSPC when not even a byte fits. With
    /// `written_back` the disk gets what it changes, as it was before.
    result<std::size_t> write(file_node& file, std::uint64_t offset, byte_view from, time_point now,
                              bool written_back = false);
    void truncate(file_node& file, std::uint64_t size, time_point now);
    result<void> allocate(file_node& file, std::uint64_t offset, std::uint64_t size,
                          time_point now);

    // ---- what the disk holds ----------------------------------------------------------------

    /// fsync(2): contents and size of a file, the entries of a directory.
    void sync(file_node& of);
    /// What a write to a file that was opened with O_DSYNC does besides.
    static void sync_range(file_node& of, std::uint64_t offset, std::uint64_t size);
    /// As `sync`, but it fails, and the kernel forgets what it could not write.
    static void fail_to_sync(file_node& of, choices& choice);
    /// Before a `sync`: one of the pages will land in the place of another.
    static void misdirect(file_node& of, choices& choice);
    /// The power fails: what remains is what the disk holds, as drawn.
    void lose_power(choices& choice);

    static file_status status_of(const file_node& file);
    static std::vector<directory_entry> entries_of(const file_node& directory);

  private:
    /// Where a path leads: the directory, the last name in it, and what it names, if anything.
    struct place {
        file_reference directory;
        std::string name;
        file_reference node;
    };

    result<place> resolve(const file_reference& from, std::string_view path,
                          bool beneath = false) const;
    file_reference make(const place& where, file_type type, std::uint32_t mode, time_point now);
    static void unlink(const place& where, time_point now);
    bool has_room(std::uint64_t pages);
    void remount(const file_reference& directory, choices& choice);
    void lose_power(file_node& file, choices& choice);
    /// The page with that number, made if there is room on the disk, else null.
    page* page_of(file_node& file, std::uint64_t number);

    file_reference root_;
    journal journal_;
    std::uint64_t pages_max_;
    std::shared_ptr<std::uint64_t> pages_used_ = std::make_shared<std::uint64_t>(0);
    std::uint64_t inodes_ = 1;
};

}  // namespace upcall::sim
