#include "driver/files/file_facts.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace upcall {

file_facts look_at_file(int fd) noexcept {
    file_facts facts;
    struct stat status{};
    if (::fstat(fd, &status) != 0) return facts;
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return facts;
    facts.is_seekable_file = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
#if defined(O_DIRECT)
    facts.is_direct = flags & O_DIRECT;
#endif
    facts.appends = flags & O_APPEND;
    return facts;
}

}  // namespace upcall
