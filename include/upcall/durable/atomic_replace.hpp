// Replaces what a file holds, whole or not at all.
//
//     const auto saved = co_await atomic_replace("settings.json", bytes_of(text));
//     if (!saved) co_return failed(saved.cause);
//
// The bytes are written to a new file in the same directory, which is synced, given the name by
// rename(2), and then the directory is synced. Who opens the name at any time, and whoever looks
// after a power cut, finds the old content or the new one, never a mixture and never nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <upcall/base/buffer.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

/// How `atomic_replace` does it.
struct replace_options {
    /// Permissions of the new file, whatever the umask. None: those of the file that is replaced;
    /// where there was none 0666, less the umask.
    std::optional<std::uint32_t> permissions{};
};

/// How far a replacement came. True when the new content is there and durable.
struct [[nodiscard("it says whether the file was replaced, and is durable")]] replacement {
    /// The name has the new content. With a cause: a power cut may still bring back the old one.
    bool replaced = false;
    std::error_code cause{};

    explicit operator bool() const noexcept { return !cause; }
};

/// Replaces the content of the file `path`, or makes that file, with `bytes`, which must stay until
/// it has ended. Owner, access lists and extended attributes are those of a new file. Who has the
/// old one open keeps it; other names of it (hard links) keep it, too.
///
/// A symbolic link at `path` is refused with ELOOP: it could only be replaced by the file, or
/// followed to where the rename would not be next to it. Where the kernel cannot tell (no
/// openat2(2)) the link is replaced, and what it pointed to is left alone. Links in the directories
/// of the path are followed.
///
/// Cancelling: before the rename it ends with `cancelled` and nothing has changed; after it
/// `replaced` is set, with the cause `cancelled` if the directory had still to be synced. On any
/// failure or cancellation before the rename the new file is removed, for which it may take some
/// more seconds. A crash may leave it behind: its name is that of the file, shortened if need be,
/// between "." and a dot with 16 hexadecimal digits and ".tmp".
///
/// Errors: of open(2), write(2), fsync(2), close(2), fchmod(2) and rename(2); invalid_argument for
/// a path that ends in no name, and where something other than a file has the name; is_a_directory.
/// On Windows directories cannot be synced: the last step is left to the file system's journal.
task<replacement> atomic_replace(std::string path, byte_view bytes, replace_options options = {});

}  // namespace upcall
