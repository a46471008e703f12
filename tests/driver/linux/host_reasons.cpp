// Hosts that are not at hand, by their facts alone: who refuses, and what can be done about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "driver/host/linux/interpret.hpp"
#include "driver/uring/abi_numbers.hpp"

namespace upcall {
namespace {

using host_probe::interpret_call;
using host_probe::interpret_ring;
using testing::HasSubstr;
using outcome = ring_test_result::outcome;

struct imagined {
    ring_facts ring;
    host_system system;
    host_limits limits;

    imagined() {
        ring.tried = true;
        system.seccomp = host_system::seccomp_mode::off;
        system.release = "6.12.0";
        limits.uring_disabled = quantity::of(0);
        limits.uring_group = quantity::infinite();
        limits.locked_memory = {quantity::of(65536), quantity::of(65536)};
        limits.descriptors = {quantity::of(1024), quantity::of(4096)};
    }
    availability judge() const { return interpret_ring(ring, system, limits); }
};

TEST(host_reasons, sysctl_two_refuses_everybody) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.limits.uring_disabled = quantity::of(2);
    host.system.is_admin = true;
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::refused_by_sysctl);
    EXPECT_EQ(found.error, EPERM);
    EXPECT_THAT(found.why, HasSubstr("kernel.io_uring_disabled is 2"));
    EXPECT_THAT(found.advice, HasSubstr("sysctl -w kernel.io_uring_disabled=0"));
}

TEST(host_reasons, sysctl_one_names_the_group) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.limits.uring_disabled = quantity::of(1);
    host.limits.uring_group = quantity::of(1234);
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::refused_by_sysctl);
    EXPECT_THAT(found.why, HasSubstr("group 1234"));
    EXPECT_THAT(found.advice, HasSubstr("Add this user to group 1234"));
}

TEST(host_reasons, sysctl_one_without_a_group) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.limits.uring_disabled = quantity::of(1);
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::refused_by_sysctl);
    EXPECT_THAT(found.why, HasSubstr("only administrators may"));
    EXPECT_THAT(found.advice, HasSubstr("kernel.io_uring_group"));
}

TEST(host_reasons, sysctl_one_does_not_explain_an_administrators_refusal) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.limits.uring_disabled = quantity::of(1);
    host.system.is_admin = true;
    EXPECT_EQ(host.judge().code, reason::refused);
}

TEST(host_reasons, a_filter_behind_the_sysctl_is_mentioned) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.limits.uring_disabled = quantity::of(2);
    host.system.seccomp = host_system::seccomp_mode::filter;
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::refused_by_sysctl);
    EXPECT_THAT(found.advice, HasSubstr("seccomp filter is in force as well"));
}

TEST(host_reasons, advice_about_a_filter_fits_the_container) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.system.seccomp = host_system::seccomp_mode::filter;
    host.system.container = "kubernetes";
    EXPECT_THAT(host.judge().advice, HasSubstr("seccompProfile"));
    host.system.container = "docker";
    EXPECT_THAT(host.judge().advice, HasSubstr("--security-opt seccomp=FILE"));
    host.system.container.clear();
    EXPECT_THAT(host.judge().advice, HasSubstr("SystemCallFilter=@aio"));
}

TEST(host_reasons, eperm_with_nobody_to_blame_is_a_policy_perhaps) {
    imagined host;
    host.ring.setup_error = EPERM;
    host.system.security_label = "confined_t";
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::refused);
    EXPECT_THAT(found.why, HasSubstr("confined_t"));
}

TEST(host_reasons, eacces_is_a_security_module) {
    imagined host;
    host.ring.setup_error = EACCES;
    EXPECT_EQ(host.judge().code, reason::refused_by_policy);
}

TEST(host_reasons, enosys_of_an_old_kernel) {
    imagined host;
    host.ring.setup_error = ENOSYS;
    host.system.release = "4.19.0";
    host.limits.uring_disabled = quantity::unknown(ENOENT);
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::not_in_kernel);
    EXPECT_THAT(found.why, HasSubstr("4.19.0"));
    EXPECT_THAT(found.advice, HasSubstr("6.1"));
}

TEST(host_reasons, enosys_of_gvisor) {
    imagined host;
    host.ring.setup_error = ENOSYS;
    host.system.is_gvisor = true;
    host.limits.uring_disabled = quantity::unknown(ENOENT);
    EXPECT_EQ(host.judge().code, reason::emulated_kernel);
    EXPECT_THAT(host.judge().advice, HasSubstr("runsc"));
}

TEST(host_reasons, enosys_under_a_filter_of_unknown_kernel_says_most_likely) {
    imagined host;
    host.ring.setup_error = ENOSYS;
    host.system.seccomp = host_system::seccomp_mode::filter;
    host.limits.uring_disabled = quantity::unknown(ENOENT);
    EXPECT_EQ(host.judge().code, reason::refused_by_seccomp);
    EXPECT_THAT(host.judge().why, HasSubstr("most likely"));
}

TEST(host_reasons, enomem_of_one_who_may_lock_memory_is_not_memlock) {
    imagined host;
    host.ring.setup_error = ENOMEM;
    EXPECT_EQ(host.judge().code, reason::out_of_locked_memory);
    EXPECT_THAT(host.judge().why, HasSubstr("64 KiB"));
    host.system.may_lock_memory = true;
    EXPECT_EQ(host.judge().code, reason::out_of_memory);
}

TEST(host_reasons, full_file_tables_are_told_apart) {
    imagined host;
    host.ring.setup_error = EMFILE;
    EXPECT_EQ(host.judge().code, reason::out_of_descriptors);
    EXPECT_THAT(host.judge().advice, HasSubstr("up to 4096 without privileges"));
    host.ring.setup_error = ENFILE;
    EXPECT_THAT(host.judge().why, HasSubstr("fs.file-max"));
}

void pass_all(ring_facts& ring) {
    ring.entries = ring_facts::entries_asked;
    for (ring_test_result& each : ring.tests) each.state = outcome::passed;
}

TEST(host_reasons, a_ring_without_defer_taskrun_is_too_old) {
    imagined host;
    pass_all(host.ring);
    host.ring.setup_flags = uring_abi::setup::coop_taskrun;
    EXPECT_EQ(host.judge().code, reason::too_old);
    EXPECT_FALSE(host.judge().available);
    host.ring.setup_flags = uring_abi::setup::defer_taskrun;
    EXPECT_EQ(host.judge().code, reason::works);
    EXPECT_TRUE(host.judge().available);
}

TEST(host_reasons, a_wrong_answer_is_broken) {
    imagined host;
    pass_all(host.ring);
    host.ring.setup_flags = uring_abi::setup::defer_taskrun;
    host.ring.tests[static_cast<std::size_t>(ring_test::cancel)] = {outcome::failed, 0};
    const availability found = host.judge();
    EXPECT_EQ(found.code, reason::broken);
    EXPECT_THAT(found.why, HasSubstr("\"cancel\""));
    EXPECT_FALSE(host.ring.is_usable());
}

TEST(host_reasons, linux_aio_can_be_missing_or_exhausted) {
    imagined host;
    host.limits.aio_max = quantity::of(65536);
    host.limits.aio_used = quantity::of(65536);
    host_probe::call_result result;
    result.tried = true;
    result.works = true;
    const auto judge = [&] {
        return interpret_call(kernel_interface::linux_aio, result, host.system, host.limits);
    };
    EXPECT_EQ(judge().code, reason::exhausted);
    EXPECT_THAT(judge().advice, HasSubstr("fs.aio-max-nr"));
    host.limits.aio_used = quantity::of(0);
    EXPECT_EQ(judge().code, reason::works);
    result.works = false;
    result.error = ENOSYS;
    EXPECT_EQ(judge().code, reason::not_in_kernel);
    EXPECT_FALSE(judge().available);
}

TEST(host_reasons, epoll_sets_can_be_full) {
    imagined host;
    host_probe::call_result result;
    result.tried = true;
    result.error = ENOSPC;
    const availability found =
        interpret_call(kernel_interface::epoll, result, host.system, host.limits);
    EXPECT_EQ(found.code, reason::exhausted);
    EXPECT_THAT(found.why, HasSubstr("max_user_watches"));
}

}  // namespace
}  // namespace upcall
