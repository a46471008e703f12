// Makes system calls fail in this thread and all it starts, for good: use it in a child process.
// Linux only.
//
//     forbid({{SYS_io_uring_setup, EPERM}});
//     forbid({{SYS_io_uring_register, EINVAL, argument_is{1, 35}}});
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace upcall::test {

/// Narrows a rule to calls whose argument (from 0) has this value in its lower 32 bits.
struct argument_is {
    unsigned index;
    std::uint32_t value;
};

struct forbidden_call {
    /// As in <sys/syscall.h>.
    long number;
    /// What the caller gets, with verdict::error.
    int error;
    std::optional<argument_is> only_if{};
    enum class verdict : std::uint8_t { error, trap, kill };
    /// `trap` raises SIGSYS, `kill` ends the process.
    verdict answer = verdict::error;
};

namespace seccomp_detail {

#if defined(__x86_64__)
inline constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
inline constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
inline constexpr std::uint32_t this_architecture = AUDIT_ARCH_RISCV64;
#else
#error "tell seccomp.hpp this architecture's number from linux/audit.h"
#endif

inline sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
inline sock_filter answer(std::uint32_t value) { return BPF_STMT(BPF_RET | BPF_K, value); }
/// Goes on if the loaded word is `value`, else skips that many instructions.
inline sock_filter unless_skip(std::uint32_t value, std::uint8_t skipped) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

inline std::uint32_t answer_of(const forbidden_call& rule) {
    switch (rule.answer) {
        case forbidden_call::verdict::trap:
            return SECCOMP_RET_TRAP;
        case forbidden_call::verdict::kill:
            return SECCOMP_RET_KILL_PROCESS;
        case forbidden_call::verdict::error:
            break;
    }
    return SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(rule.error) & SECCOMP_RET_DATA);
}

inline void add_rule(std::vector<sock_filter>& program, const forbidden_call& rule) {
    constexpr std::size_t low_half = std::endian::native == std::endian::little ? 0 : 4;
    program.push_back(load(offsetof(seccomp_data, nr)));
    const auto number = static_cast<std::uint32_t>(rule.number);
    if (rule.only_if) {
        program.push_back(unless_skip(number, 3));
        program.push_back(load(offsetof(seccomp_data, args) +
                               rule.only_if->index * sizeof(std::uint64_t) + low_half));
        program.push_back(unless_skip(rule.only_if->value, 1));
    } else {
        program.push_back(unless_skip(number, 1));
    }
    program.push_back(answer(answer_of(rule)));
}

}  // namespace seccomp_detail

/// Installs a filter with these rules; the first that fits answers, and what fits none is allowed.
/// Also sets no_new_privs. 0, or errno.
inline int forbid(const std::vector<forbidden_call>& rules) {
    using namespace seccomp_detail;
    std::vector<sock_filter> program;
    // Calls of another architecture have other numbers: they are not what a test is about.
    program.push_back(load(offsetof(seccomp_data, arch)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0));
    program.push_back(answer(SECCOMP_RET_ALLOW));
    for (const forbidden_call& rule : rules) add_rule(program, rule);
    program.push_back(answer(SECCOMP_RET_ALLOW));

    sock_fprog whole{};
    whole.len = static_cast<unsigned short>(program.size());
    whole.filter = program.data();
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0) != 0) return errno;
    return 0;
}

}  // namespace upcall::test
