// A source tree of a test's own, removed with the object.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

namespace house {

class scratch_tree {
  public:
    scratch_tree()
        : root_(std::filesystem::temp_directory_path() /
                ("upcall-house-" + std::to_string(std::random_device{}()))) {
        std::filesystem::create_directories(root_);
    }
    ~scratch_tree() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    scratch_tree(const scratch_tree&) = delete;
    scratch_tree& operator=(const scratch_tree&) = delete;

    const std::filesystem::path& root() const { return root_; }

    void write(const std::filesystem::path& file, const std::string& text) const {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }

  private:
    std::filesystem::path root_;
};

}  // namespace house
