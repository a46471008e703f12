// Limits that leave no room for a ring are recognised as such.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <upcall/driver/host.hpp>

#include <string>

#include "support/child.hpp"

namespace upcall {
namespace {

using test::child_end;
using test::run_in_child;
using testing::HasSubstr;

// Root may lock any amount of memory, so the limit is felt as somebody else: as somebody with no
// other process, because the kernel counts per user, and gives back a ring's memory late.
bool become_a_stranger() {
    if (::geteuid() != 0) return false;
    const unsigned id = 20000 + static_cast<unsigned>(::getpid()) % 40000;
    return ::setgroups(0, nullptr) == 0 && ::setgid(id) == 0 && ::setuid(id) == 0;
}

std::string summary(const host& seen) {
    const availability& ring = seen[kernel_interface::uring];
    return std::string(name_of(ring.code)) + '|' + choose_driver(seen).name + '|' + ring.why + '|' +
           ring.advice;
}

class host_limits_refuse : public testing::Test {
  protected:
    void SetUp() override {
        const availability& ring = (*this_host())[kernel_interface::uring];
        if (!ring.available) GTEST_SKIP() << "refused here already: " << ring.why;
        if ((*this_host()).limits.uring_disabled.value == 1)
            GTEST_SKIP() << "only administrators may create rings here";
    }
};

// As if in a container with `--ulimit memlock=BYTES`, as a user without capabilities.
child_end probe_with_locked_memory(rlim_t bytes) {
    return run_in_child([=](std::string& message) {
        const rlimit both{bytes, bytes};
        if (::setrlimit(RLIMIT_MEMLOCK, &both) != 0 || !become_a_stranger()) return 1;
        message = summary(probe_host());
        return 0;
    });
}

TEST_F(host_limits_refuse, without_locked_memory_there_is_no_ring) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become a user with no other process";
    const child_end end = probe_with_locked_memory(0);
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_THAT(end.message, testing::StartsWith("out_of_locked_memory|epoll|"));
    EXPECT_THAT(end.message, HasSubstr("RLIMIT_MEMLOCK (0 bytes, at most 0 bytes)"));
    EXPECT_THAT(end.message, HasSubstr("ulimit -l"));
}

TEST_F(host_limits_refuse, little_locked_memory_makes_a_smaller_ring) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become a user with no other process";
    if (::sysconf(_SC_PAGESIZE) != 4096) GTEST_SKIP() << "the amounts are those of 4 KiB pages";
    // 256 entries take 36 KiB, 64 take 12.
    const child_end end = probe_with_locked_memory(24 * 1024);
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_THAT(end.message, testing::StartsWith("works|uring|"));
    EXPECT_THAT(end.message, HasSubstr("Memory was short for the usual 256 entries"));
    EXPECT_THAT(end.message, HasSubstr("ulimit -l"));
}

TEST_F(host_limits_refuse, without_descriptors_there_is_poll) {
    const child_end end = run_in_child([](std::string& message) {
        const rlimit few{16, 16};
        if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
        while (::open("/dev/null", O_RDONLY) >= 0) {
        }
        message = summary(probe_host());
        return 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_THAT(end.message, testing::StartsWith("out_of_descriptors|poll|"));
    EXPECT_THAT(end.message,
                HasSubstr("All 16 descriptors that RLIMIT_NOFILE allows this process are in use"));
    EXPECT_THAT(end.message, HasSubstr("ulimit -n"));
}

TEST_F(host_limits_refuse, one_descriptor_for_the_ring_is_not_enough_to_try_it) {
    const child_end end = run_in_child([](std::string& message) {
        const rlimit few{16, 16};
        if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
        int last = -1;
        for (int fd = 0; fd >= 0; fd = ::open("/dev/null", O_RDONLY)) last = fd;
        ::close(last);
        message = summary(probe_host());
        return 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_THAT(end.message, testing::StartsWith("out_of_descriptors|"));
}

}  // namespace
}  // namespace upcall
