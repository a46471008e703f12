// Files of the experiments. They have no name, so that nothing is left of them however this ends.
#pragma once

#include <cstdint>
#include <string>

#include "lab/owned_fd.hpp"

namespace upcall_lab {

/// A file without a name in `directory`. Throws lab_error, which names the directory.
owned_fd unnamed_file(const std::string& directory);

/// The same, with so many bytes in it that were really written. Throws lab_error: also where there
/// is less room than that.
owned_fd filled_file(const std::string& directory, std::uint64_t bytes);

/// How many bytes an ordinary user may still write there. Throws lab_error.
std::uint64_t room_in(const std::string& directory);

/// A path by which the file can be opened again, with other flags, while `file` is open.
std::string path_of(int file);
/// Opens it again. Throws lab_error.
owned_fd open_again(int file, int flags);

/// What kind of file system it is: "ext4", "tmpfs", "overlay", or its number.
std::string file_system_of(const std::string& directory);

}  // namespace upcall_lab
