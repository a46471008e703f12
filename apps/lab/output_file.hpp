// A file that is written at the end, and whose failure is known at the beginning.
#pragma once

#include <string>

#include "lab/owned_fd.hpp"

namespace upcall_lab {

class output_file {
  public:
    /// Opens it for writing and leaves what is in it; with an empty path there is no file.
    explicit output_file(std::string path);
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    /// Removes it again if it was made here and never written.
    ~output_file();

    /// Why it cannot be written, or could not; empty as long as all is well.
    const std::string& error() const noexcept { return error_; }
    /// Puts `text` in place of what was in it. True also where there is no file.
    bool write(const std::string& text);

  private:
    std::string path_;
    std::string error_;
    owned_fd file_;
    bool is_new_ = false;
};

}  // namespace upcall_lab
