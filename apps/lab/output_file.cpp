#include "lab/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lab/words.hpp"

namespace upcall_lab {

output_file::output_file(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    is_new_ = ::access(path_.c_str(), F_OK) != 0;
    file_ = owned_fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (file_.get() >= 0) return;
    error_ = failed("write '" + path_ + "'", errno);
    is_new_ = false;
}

output_file::~output_file() {
    if (is_new_) ::unlink(path_.c_str());
}

bool output_file::write(const std::string& text) {
    if (path_.empty()) return true;
    is_new_ = false;
    std::size_t done = 0;
    while (done < text.size()) {
        const auto count = ::write(file_.get(), text.data() + done, text.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            error_ = failed("write '" + path_ + "'", count == 0 ? ENOSPC : errno);
            return false;
        }
        done += static_cast<std::size_t>(count);
    }
    // Pipes and devices have no length to cut.
    if (::ftruncate(file_.get(), static_cast<off_t>(text.size())) != 0 && errno != EINVAL) {
        error_ = failed("write '" + path_ + "'", errno);
        return false;
    }
    return true;
}

}  // namespace upcall_lab
