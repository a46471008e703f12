// What every probe of every host promises, whatever the host offers.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <upcall/driver/host.hpp>
#include <upcall/driver/select.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include "support/child.hpp"

namespace upcall {
namespace {

using test::run_in_child;

constexpr kernel_interface all_interfaces[] = {
    kernel_interface::uring,     kernel_interface::epoll,  kernel_interface::poll,
    kernel_interface::select,    kernel_interface::sigio,  kernel_interface::linux_aio,
    kernel_interface::posix_aio, kernel_interface::kqueue, kernel_interface::iocp,
};
static_assert(std::size(all_interfaces) == kernel_interface_count);

bool is_sentence(const std::string& text) {
    return text.size() > 8 && text.back() == '.' && text.find("  ") == std::string::npos;
}

TEST(host, every_interface_is_described_in_sentences) {
    const host seen = probe_host();
    std::set<std::string_view> names;
    for (const kernel_interface each : all_interfaces) {
        const availability& found = seen[each];
        EXPECT_EQ(found.what, each);
        names.insert(name_of(each));
        EXPECT_TRUE(is_sentence(found.why)) << name_of(each) << ": " << found.why;
        EXPECT_TRUE(found.advice.empty() || is_sentence(found.advice)) << found.advice;
        EXPECT_EQ(found.available, found.code == reason::works) << name_of(each);
        if (found.available) {
            EXPECT_EQ(found.error, 0) << name_of(each);
        }
    }
    EXPECT_EQ(names.size(), kernel_interface_count);
    EXPECT_FALSE(names.contains("?"));
}

TEST(host, what_every_linux_has_is_found) {
    const host seen = probe_host();
    EXPECT_TRUE(seen[kernel_interface::epoll].available);
    EXPECT_TRUE(seen[kernel_interface::poll].available);
    EXPECT_TRUE(seen[kernel_interface::select].available);
    EXPECT_EQ(seen[kernel_interface::kqueue].code,
              is_driver_name("kqueue") ? reason::works : reason::not_on_this_system);
    EXPECT_EQ(seen[kernel_interface::iocp].code, reason::not_on_this_system);
    EXPECT_EQ(seen.system.kernel, "Linux");
    EXPECT_FALSE(seen.system.release.empty());
    EXPECT_GE(seen.system.processors, 1U);
    EXPECT_GE(seen.system.processors_usable, 1U);
    EXPECT_LE(seen.system.processors_usable, seen.system.affinity.size());
    EXPECT_TRUE(seen.limits.descriptors.soft.is_known() ||
                seen.limits.descriptors.soft.state == quantity::kind::unlimited);
}

TEST(host, a_usable_ring_has_what_the_driver_needs) {
    const host seen = probe_host();
    if (!seen[kernel_interface::uring].available) GTEST_SKIP() << seen[kernel_interface::uring].why;
    EXPECT_TRUE(seen.ring.is_usable());
    const auto present_in = [](const std::vector<capability>& all, std::string_view name) {
        for (const capability& each : all)
            if (each.name == name) return each.state == presence::present;
        return false;
    };
    EXPECT_TRUE(present_in(ring_setup_flags(seen.ring), "DEFER_TASKRUN"));
    EXPECT_TRUE(present_in(ring_features(seen.ring), "EXT_ARG"));
    EXPECT_TRUE(present_in(ring_opcodes(seen.ring), "RECV"));
    EXPECT_TRUE(present_in(ring_register_operations(seen.ring), "ENABLE_RINGS"));
    EXPECT_FALSE(present_in(ring_opcodes(seen.ring), "NO_SUCH_THING"));
    EXPECT_EQ(seen.ring.setup_error, 0);
    EXPECT_EQ(seen.ring.killed_by, 0);
}

TEST(host, is_probed_once_and_again_on_request) {
    const auto first = this_host();
    EXPECT_EQ(first, this_host());
    std::shared_ptr<const host> from_thread;
    std::thread([&] { from_thread = this_host(); }).join();
    EXPECT_EQ(first, from_thread);
    const auto second = reprobe_host();
    EXPECT_NE(first, second);
    EXPECT_EQ(second, this_host());
    EXPECT_FALSE(first->interfaces[0].why.empty());  // still valid
}

std::ptrdiff_t open_descriptors() {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return std::distance(begin(folder), end(folder));
}

TEST(host, probing_leaves_no_descriptor_behind) {
    (void)probe_host();  // whatever the C library opens once
    const std::ptrdiff_t before = open_descriptors();
    for (int i = 0; i < 8; ++i) (void)probe_host();
    EXPECT_EQ(open_descriptors(), before);
}

TEST(host, unknown_is_not_absent) {
    capability_set set;
    EXPECT_EQ(set[3], presence::unknown);
    set.set(3, false);
    EXPECT_EQ(set[3], presence::absent);
    set.set(3, true);
    EXPECT_EQ(set[3], presence::present);
    EXPECT_EQ(set[capability_set::size], presence::unknown);
    set.set(capability_set::size, true);  // past the end: ignored
    EXPECT_EQ(set[capability_set::size], presence::unknown);
}

}  // namespace
}  // namespace upcall
