// When the system has no more threads to give, those that run do all the work.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <upcall/pool/blocking_pool.hpp>

#include "support/latch.hpp"

namespace upcall {
namespace {

/// From here on this thread can start no other: as with a limit on processes, but for root too.
void deny_new_threads() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{.len = std::size(program), .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        std::_Exit(2);
}

struct waits : pool_job {
    testing::latch* started = nullptr;
    testing::latch* go = nullptr;
};

[[noreturn]] void use_the_only_thread() {
    blocking_pool pool({.threads_max = 4});
    testing::latch started(1);
    testing::latch go(1);
    testing::latch ended(3);
    waits first;
    first.started = &started;
    first.go = &go;
    first.pool_run = [](pool_job& self) noexcept {
        auto& job = static_cast<waits&>(self);
        job.started->count_down();
        job.go->wait();
    };
    if (pool.submit(first) != 0) std::_Exit(3);
    started.wait();
    deny_new_threads();
    waits others[3];
    for (auto& other : others) {
        other.go = &ended;
        other.pool_run = [](pool_job& self) noexcept {
            static_cast<waits&>(self).go->count_down();
        };
        if (pool.submit(other) != 0) std::_Exit(4);
    }
    const auto counts = pool.count();
    if (counts.threads != 1 || counts.threads_refused != 1 || counts.queued != 3) std::_Exit(5);
    go.count_down();
    ended.wait();
    std::_Exit(0);
}

TEST(blocking_pool, goes_on_with_the_threads_it_has) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(use_the_only_thread(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace upcall
