// Limits are read from where they stand, and advice comes exactly where one is tight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <upcall/driver/host.hpp>

#include <set>

namespace upcall {
namespace {

using testing::HasSubstr;

std::string advice_for(const host& seen, std::string_view key) {
    for (const limit_fact& each : limit_report(seen))
        if (each.key == key) return each.advice;
    return "no such limit";
}

host roomy() {
    host seen;
    seen.system.processors = 4;
    seen.system.affinity = {0, 1, 2, 3};
    seen.system.processors_usable = 4;
    host_limits& limits = seen.limits;
    limits.descriptors = {quantity::of(1 << 20), quantity::of(1 << 20)};
    limits.locked_memory = {quantity::of(8 << 20), quantity::of(8 << 20)};
    limits.processes = {quantity::of(10000), quantity::of(10000)};
    limits.descriptors_system = quantity::of(1 << 20);
    limits.accept_queue = quantity::of(4096);
    limits.syn_queue = quantity::of(1024);
    limits.port_first = quantity::of(32768);
    limits.port_last = quantity::of(60999);
    limits.epoll_watches = quantity::of(1 << 20);
    limits.aio_max = quantity::of(65536);
    limits.aio_used = quantity::of(0);
    limits.uring_disabled = quantity::of(0);
    limits.cgroup_memory = quantity::infinite();
    limits.cgroup_cpu_millis = quantity::infinite();
    limits.cgroup_pids = quantity::infinite();
    return seen;
}

TEST(host_limits_advise, a_roomy_host_gets_no_advice) {
    for (const limit_fact& each : limit_report(roomy()))
        EXPECT_FALSE(each.bites()) << each.key << ": " << each.advice;
}

TEST(host_limits_advise, nothing_known_means_nothing_advised) {
    for (const limit_fact& each : limit_report(host{}))
        EXPECT_FALSE(each.bites()) << each.key << ": " << each.advice;
}

TEST(host_limits_advise, keys_are_unique_and_sources_named) {
    std::set<std::string_view> keys;
    for (const limit_fact& each : limit_report(roomy())) {
        EXPECT_TRUE(keys.insert(each.key).second) << each.key;
        EXPECT_FALSE(each.source.empty());
        EXPECT_FALSE(each.meaning.empty());
    }
}

TEST(host_limits_advise, few_descriptors_are_raised_by_oneself_where_the_hard_limit_allows) {
    host seen = roomy();
    seen.limits.descriptors = {quantity::of(1024), quantity::of(524288)};
    EXPECT_THAT(advice_for(seen, "descriptors.soft"), HasSubstr("ulimit -n 524288"));
    seen.limits.descriptors.hard = quantity::of(1024);
    EXPECT_THAT(advice_for(seen, "descriptors.soft"), HasSubstr("LimitNOFILE="));
}

TEST(host_limits_advise, locked_memory_counts_only_without_the_capability) {
    host seen = roomy();
    seen.limits.locked_memory.soft = quantity::of(65536);
    EXPECT_THAT(advice_for(seen, "locked_memory.soft"), HasSubstr("ENOMEM"));
    seen.system.may_lock_memory = true;
    EXPECT_EQ(advice_for(seen, "locked_memory.soft"), "");
}

TEST(host_limits_advise, short_queues_name_their_sysctl) {
    host seen = roomy();
    seen.limits.accept_queue = quantity::of(128);
    seen.limits.syn_queue = quantity::of(128);
    EXPECT_THAT(advice_for(seen, "accept_queue"), HasSubstr("net.core.somaxconn=4096"));
    EXPECT_THAT(advice_for(seen, "syn_queue"), HasSubstr("tcp_max_syn_backlog"));
}

TEST(host_limits_advise, few_ports_and_few_aio_events) {
    host seen = roomy();
    seen.limits.port_last = quantity::of(32768 + 99);
    EXPECT_THAT(advice_for(seen, "port.first"), HasSubstr("Only 100 connections"));
    seen.limits.aio_used = quantity::of(65536 - 10);
    EXPECT_THAT(advice_for(seen, "aio.max"), HasSubstr("Only 10 are left"));
}

TEST(host_limits_advise, a_quota_below_the_processors_seen) {
    host seen = roomy();
    seen.limits.cgroup_cpu_millis = quantity::of(1500);
    seen.system.processors_usable = 2;
    EXPECT_THAT(advice_for(seen, "cgroup.cpu"), HasSubstr("upcall starts 2"));
}

TEST(host_limits_advise, the_sysctl_that_switches_rings_off) {
    host seen = roomy();
    seen.limits.uring_disabled = quantity::of(1);
    EXPECT_THAT(advice_for(seen, "uring.disabled"), HasSubstr("io_uring_disabled=0"));
    seen.system.is_admin = true;
    EXPECT_EQ(advice_for(seen, "uring.disabled"), "");
    seen.limits.uring_disabled = quantity::of(2);
    EXPECT_THAT(advice_for(seen, "uring.disabled"), HasSubstr("io_uring_disabled=0"));
}

TEST(host_limits_advise, what_is_reported_is_what_getrlimit_says) {
    const host seen = probe_host();
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    if (files.rlim_cur == RLIM_INFINITY)
        EXPECT_EQ(seen.limits.descriptors.soft.state, quantity::kind::unlimited);
    else
        EXPECT_EQ(seen.limits.descriptors.soft.value, files.rlim_cur);
}

}  // namespace
}  // namespace upcall
