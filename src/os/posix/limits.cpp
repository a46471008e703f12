#include <upcall/os/limits.hpp>

#include <sys/resource.h>

namespace upcall {

std::size_t raise_descriptor_limit() noexcept {
    rlimit now{};
    if (::getrlimit(RLIMIT_NOFILE, &now) != 0) return 1024;
    rlimit wanted = now;
    wanted.rlim_cur = now.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) now = wanted;
    return now.rlim_cur;
}

}  // namespace upcall
