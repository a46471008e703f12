// What this process has open.
#pragma once

#include <vector>

#ifndef _WIN32
#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#endif

namespace upcall::testing {

/// The numbers of all open descriptors, in order. Empty where the system cannot tell.
inline std::vector<int> open_descriptors() {
    std::vector<int> open;
#ifndef _WIN32
    DIR* all = ::opendir("/proc/self/fd");
    if (!all) return open;
    while (const dirent* one = ::readdir(all)) {
        if (one->d_name[0] == '.') continue;
        const int fd = std::atoi(one->d_name);
        if (fd != ::dirfd(all)) open.push_back(fd);
    }
    ::closedir(all);
    std::sort(open.begin(), open.end());
#endif
    return open;
}

}  // namespace upcall::testing
