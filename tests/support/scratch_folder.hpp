// A folder of the test's own, gone with everything in it afterwards. POSIX only.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace upcall::testing {

class scratch_folder {
  public:
    scratch_folder() {
        const std::string drawn(6, 'X');  // mkdtemp(3) fills these in
        std::string name = std::filesystem::temp_directory_path() / ("upcall-" + drawn);
        if (!::mkdtemp(name.data())) std::abort();
        path_ = name;
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const { return path_; }
    /// The path of a file in it.
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    /// How many files are in it.
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(path_), {}));
    }

  private:
    std::filesystem::path path_;
};

}  // namespace upcall::testing
