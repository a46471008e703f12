// What the programs that show upcall's side share: how they end, what they cost, and how random
// places of a file are drawn.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <system_error>

namespace upcall_bench {

[[noreturn]] inline void die(const std::string& what, const std::error_code& why) {
    std::fprintf(stderr, "%s: %s\n", what.c_str(), why.message().c_str());
    std::exit(1);
}

/// Of this process, so far.
inline double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The same sequence in each run (Marsaglia's xorshift).
class random_numbers {
  public:
    std::uint64_t below(std::uint64_t limit) noexcept {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 11) % limit;
    }

  private:
    std::uint64_t state_ = 88172645463325252U;
};

}  // namespace upcall_bench
