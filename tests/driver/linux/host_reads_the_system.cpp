// The files in which Linux describes itself are read rightly, on systems made of a few files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "driver/host/linux/cgroup.hpp"
#include "driver/host/linux/read_limits.hpp"
#include "driver/host/linux/read_system.hpp"
#include "driver/host/linux/system_files.hpp"
#include "support/scratch_folder.hpp"

namespace upcall {
namespace {

using host_probe::parse_quantity;
using host_probe::read_cgroup_limits;
using host_probe::read_container;
using host_probe::read_limits;
using host_probe::read_system;
using host_probe::system_files;
using ::testing::Contains;
using ::testing::HasSubstr;

class a_system : public ::testing::Test {
  protected:
    a_system() { files_.root = folder_.path().string(); }

    void put(const std::string& path, const std::string& text) {
        const std::filesystem::path full = files_.root + path;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream(full, std::ios::binary) << text;
    }
    host_limits cgroup() const {
        host_limits limits;
        read_cgroup_limits(files_, limits);
        return limits;
    }
    host_system container() const {
        host_system system;
        read_container(files_, system);
        return system;
    }

    testing::scratch_folder folder_;
    system_files files_;
};

TEST_F(a_system, with_unified_cgroups_has_the_tightest_limit_up_to_the_root) {
    put("/proc/self/cgroup", "0::/outer/inner\n");
    put("/sys/fs/cgroup/outer/memory.max", "1048576\n");
    put("/sys/fs/cgroup/outer/memory.current", "4096\n");
    put("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
    put("/sys/fs/cgroup/outer/inner/memory.current", "1\n");
    put("/sys/fs/cgroup/outer/inner/cpu.max", "150000 100000\n");
    put("/sys/fs/cgroup/outer/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/outer/inner/pids.max", "77\n");
    put("/sys/fs/cgroup/outer/inner/pids.current", "3\n");
    const host_limits limits = cgroup();
    EXPECT_EQ(limits.cgroup_memory.value, 1048576U);
    EXPECT_EQ(limits.cgroup_memory_used.value, 4096U);
    EXPECT_EQ(limits.cgroup_cpu_millis.value, 1500U);
    EXPECT_EQ(limits.cgroup_pids.value, 77U);
    EXPECT_EQ(limits.cgroup_pids_used.value, 3U);
}

TEST_F(a_system, with_separate_cgroups_is_read_controller_by_controller) {
    put("/proc/self/cgroup", "4:memory:/box\n3:pids:/\n2:cpu,cpuacct:/box\n0::/\n");
    put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "2097152\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/pids/tasks", "");
    const host_limits limits = cgroup();
    EXPECT_EQ(limits.cgroup_memory.value, 2097152U);
    EXPECT_EQ(limits.cgroup_cpu_millis.value, 500U);
    EXPECT_EQ(limits.cgroup_pids.state, quantity::kind::unlimited);
}

TEST_F(a_system, whose_group_lies_outside_the_container_is_read_at_the_mount) {
    put("/proc/self/cgroup", "0::/../elsewhere/pod\n");
    put("/sys/fs/cgroup/memory.max", "4096\n");
    EXPECT_EQ(cgroup().cgroup_memory.value, 4096U);
}

TEST_F(a_system, without_cgroups_has_no_such_limits) {
    EXPECT_EQ(cgroup().cgroup_memory.state, quantity::kind::unreadable);
    put("/proc/self/cgroup", "0::/\n");
    std::filesystem::create_directories(files_.root + "/sys/fs/cgroup");
    EXPECT_EQ(cgroup().cgroup_memory.state, quantity::kind::unlimited);
}

TEST_F(a_system, with_an_endless_quota_is_unlimited) {
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    EXPECT_EQ(cgroup().cgroup_cpu_millis.state, quantity::kind::unlimited);
}

TEST_F(a_system, shows_its_container_by_what_lies_about) {
    EXPECT_EQ(container().container, "");
    put("/.dockerenv", "");
    EXPECT_EQ(container().container, "docker");
    EXPECT_THAT(container().container_evidence, Contains("/.dockerenv exists"));
}

TEST_F(a_system, shows_kubernetes_before_the_runtime_beneath_it) {
    put("/.dockerenv", "");
    put("/var/run/secrets/kubernetes.io/serviceaccount/token", "x");
    EXPECT_EQ(container().container, "kubernetes");
    EXPECT_EQ(container().container_evidence.size(), 2U);
}

TEST_F(a_system, shows_podman_lxc_and_nspawn) {
    put("/proc/1/environ", std::string("PATH=/bin\0container=lxc\0", 24));
    EXPECT_EQ(container().container, "lxc");
    put("/run/systemd/container", "systemd-nspawn\n");
    EXPECT_EQ(container().container, "systemd-nspawn");
    put("/run/.containerenv", "");
    EXPECT_EQ(container().container, "podman");
}

TEST_F(a_system, shows_a_container_in_its_cgroup_paths) {
    put("/proc/1/cgroup", "0::/kubepods/burstable/pod1\n");
    EXPECT_EQ(container().container, "kubernetes");
    put("/proc/1/cgroup", "0::/system.slice/ssh.service\n");
    EXPECT_EQ(container().container, "");
}

TEST_F(a_system, that_is_gvisor_is_known_by_its_build_date) {
    put("/proc/version", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n");
    const host_system system = read_system(files_);
    EXPECT_TRUE(system.is_gvisor);
    EXPECT_EQ(system.container, "gvisor");
}

TEST_F(a_system, says_what_its_threads_may_do) {
    put("/proc/thread-self/status",
        "Name:\tx\nCapEff:\t0000000000204000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    put("/proc/self/uid_map", "         0          0 4294967295\n");
    const host_system system = read_system(files_);
    EXPECT_TRUE(system.may_lock_memory);
    EXPECT_TRUE(system.is_admin);
    EXPECT_TRUE(system.no_new_privileges);
    EXPECT_EQ(system.seccomp, host_system::seccomp_mode::filter);
}

TEST_F(a_system, gives_the_root_of_a_user_namespace_no_special_rights) {
    put("/proc/thread-self/status", "CapEff:\t000001ffffffffff\nSeccomp:\t0\n");
    put("/proc/self/uid_map", "         0     100000      65536\n");
    const host_system system = read_system(files_);
    EXPECT_FALSE(system.may_lock_memory);
    EXPECT_FALSE(system.is_admin);
    EXPECT_EQ(system.seccomp, host_system::seccomp_mode::off);
}

TEST_F(a_system, has_its_sysctls_read) {
    put("/proc/sys/net/ipv4/ip_local_port_range", "1024\t65535\n");
    put("/proc/sys/net/core/somaxconn", "128\n");
    put("/proc/sys/kernel/io_uring_group", "-1\n");
    put("/proc/sys/kernel/ostype", "Linux\n");
    put("/proc/sys/fs/aio-nr", "many\n");
    const host_limits limits = read_limits(files_);
    EXPECT_TRUE(limits.sysctls_readable);
    EXPECT_EQ(limits.port_first.value, 1024U);
    EXPECT_EQ(limits.port_last.value, 65535U);
    EXPECT_EQ(limits.accept_queue.value, 128U);
    EXPECT_EQ(limits.uring_group.state, quantity::kind::unlimited);
    EXPECT_EQ(limits.uring_disabled.state, quantity::kind::unreadable);
    EXPECT_EQ(limits.uring_disabled.error, ENOENT);
    EXPECT_EQ(limits.aio_used.error, EBADMSG);
}

TEST(system_numbers, are_parsed_strictly) {
    EXPECT_EQ(parse_quantity(" 42\n")->value, 42U);
    EXPECT_EQ(parse_quantity("max\n")->state, quantity::kind::unlimited);
    EXPECT_EQ(parse_quantity("18446744073709551615")->value, ~std::uint64_t{0});
    EXPECT_FALSE(parse_quantity("18446744073709551616").has_value());
    EXPECT_FALSE(parse_quantity("42 43").has_value());
    EXPECT_FALSE(parse_quantity("").has_value());
    EXPECT_FALSE(parse_quantity("-2").has_value());
}

TEST(system_processors, are_cut_by_the_quota_but_never_to_none) {
    host_system system;
    system.processors = 8;
    system.affinity = {0, 1, 2, 3};
    host_limits limits;
    EXPECT_EQ(host_probe::usable_processors(system, limits), 4U);
    limits.cgroup_cpu_millis = quantity::of(1500);
    EXPECT_EQ(host_probe::usable_processors(system, limits), 2U);
    limits.cgroup_cpu_millis = quantity::of(100);
    EXPECT_EQ(host_probe::usable_processors(system, limits), 1U);
    limits.cgroup_cpu_millis = quantity::of(64000);
    EXPECT_EQ(host_probe::usable_processors(system, limits), 4U);
}

}  // namespace
}  // namespace upcall
