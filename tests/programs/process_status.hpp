// What /proc says of another process.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace upcall::testing {

/// Descriptors that it has open, without those that stand for nothing outside of it, as eventfds,
/// rings and sets of epoll do: some come and go with threads, and a loop that has hardly begun when
/// the first is counted has none yet.
inline std::size_t descriptors_of(pid_t pid) {
    std::size_t count = 0;
    std::error_code gone;
    for (const auto& each :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
        if (!std::filesystem::read_symlink(each, gone).native().starts_with("anon_inode:")) ++count;
    return count;
}

inline std::size_t resident_bytes_of(pid_t pid) {
    std::ifstream from("/proc/" + std::to_string(pid) + "/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    from >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Processor time that all its threads have used, in seconds.
inline double processor_seconds_of(pid_t pid) {
    std::ifstream from("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(from)), std::istreambuf_iterator<char>());
    std::size_t at = text.rfind(')');  // the name may hold anything
    for (int fields = 0; fields < 12; ++fields) at = text.find(' ', at + 1);
    char* next = nullptr;
    const double user = std::strtod(text.c_str() + at, &next);
    const double system = std::strtod(next, nullptr);
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace upcall::testing
