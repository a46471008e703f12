// A host that refuses io_uring, wholly or in part, is told apart from one that has none, and the
// reason names who refuses. Filters are made by hand and installed in child processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <upcall/driver/host.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>

#include "driver/uring/abi.hpp"
#include "support/child.hpp"
#include "support/seccomp.hpp"

namespace upcall {
namespace {

using test::argument_is;
using test::child_end;
using test::forbid;
using test::forbidden_call;
using test::run_in_child;
using verdict = forbidden_call::verdict;

constexpr long setup_call = uring_abi::setup_number;
constexpr long enter_call = uring_abi::enter_number;
constexpr long register_call = uring_abi::register_number;

class host_ring_refused : public testing::Test {
  protected:
    void SetUp() override {
        const availability& ring = (*this_host())[kernel_interface::uring];
        if (!ring.available) GTEST_SKIP() << "refused here already: " << ring.why;
        // Every probe makes rings, whose memory comes back late.
        if (!this_host()->system.may_lock_memory &&
            this_host()->limits.locked_memory.soft.is_below(4 << 20))
            GTEST_SKIP() << "needs 4 MiB of RLIMIT_MEMLOCK";
    }
};

// Installs the filter in a child, probes there, and brings back "reason|errno|driver|why".
std::string probe_under(const std::vector<forbidden_call>& rules) {
    const child_end end = run_in_child([&](std::string& message) {
        if (const int error = forbid(rules); error != 0) return error;
        const host seen = probe_host();
        const availability& ring = seen[kernel_interface::uring];
        message = std::string(name_of(ring.code)) + '|' + std::to_string(ring.error) + '|' +
                  choose_driver(seen).name + '|' + ring.why + '|' + ring.advice;
        return 0;
    });
    if (!end.succeeded()) ADD_FAILURE() << end;
    return end.message;
}

std::string expected_start(reason code, int error, const char* driver) {
    return std::string(name_of(code)) + '|' + std::to_string(error) + '|' + driver + '|';
}

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(host_ring_refused, by_a_filter_that_says_eperm) {
    const std::string found = probe_under({{setup_call, EPERM}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::refused_by_seccomp, EPERM, "epoll")));
    EXPECT_THAT(found, HasSubstr("seccomp filter answers io_uring_setup with EPERM"));
    EXPECT_THAT(found, HasSubstr("io_uring_setup, io_uring_enter and io_uring_register"));
}

TEST_F(host_ring_refused, by_a_filter_that_says_enosys) {
    const std::string found = probe_under({{setup_call, ENOSYS}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::refused_by_seccomp, ENOSYS, "epoll")));
    EXPECT_THAT(found, HasSubstr("ENOSYS"));
}

TEST_F(host_ring_refused, by_a_filter_on_all_three_calls) {
    const std::string found =
        probe_under({{setup_call, EPERM}, {enter_call, EPERM}, {register_call, EPERM}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::refused_by_seccomp, EPERM, "epoll")));
}

TEST_F(host_ring_refused, when_only_enter_is_denied) {
    const std::string found = probe_under({{enter_call, EPERM}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::half_refused, EPERM, "epoll")));
    EXPECT_THAT(found, HasSubstr("A ring can be created, but not used"));
    EXPECT_THAT(found, HasSubstr("io_uring_enter with EPERM"));
}

TEST_F(host_ring_refused, when_only_register_is_denied) {
    const std::string found = probe_under({{register_call, ENOSYS}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::half_refused, ENOSYS, "epoll")));
    EXPECT_THAT(found, HasSubstr("A ring can be created and entered, but not used"));
    EXPECT_THAT(found, HasSubstr("io_uring_register with ENOSYS"));
}

TEST_F(host_ring_refused, when_enter_and_register_are_denied) {
    const std::string found = probe_under({{enter_call, EPERM}, {register_call, EPERM}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::half_refused, EPERM, "epoll")));
    EXPECT_THAT(found, HasSubstr("A ring can be created, but not used"));
}

TEST_F(host_ring_refused, by_a_filter_that_kills_without_killing_the_caller) {
    const std::string found = probe_under({{setup_call, 0, {}, verdict::kill}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::killed_by_seccomp, 0, "epoll")));
    EXPECT_THAT(found, HasSubstr("kills whoever calls io_uring_setup"));
}

TEST_F(host_ring_refused, by_a_filter_that_traps_enter) {
    const std::string found = probe_under({{enter_call, 0, {}, verdict::trap}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::killed_by_seccomp, 0, "epoll")));
    EXPECT_THAT(found, HasSubstr("kills whoever calls io_uring_enter"));
}

TEST_F(host_ring_refused, and_epoll_too_leaves_poll) {
    const std::string found = probe_under({{setup_call, EPERM}, {SYS_epoll_create1, EPERM}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::refused_by_seccomp, EPERM, "poll")));
}

TEST_F(host_ring_refused, and_one_killer_does_not_hide_the_next_interface) {
    const child_end end = run_in_child([](std::string& message) {
        const int error =
            forbid({{setup_call, 0, {}, verdict::kill}, {SYS_io_setup, 0, {}, verdict::kill}});
        if (error != 0) return error;
        const host seen = probe_host();
        for (const kernel_interface each :
             {kernel_interface::uring, kernel_interface::epoll, kernel_interface::sigio,
              kernel_interface::linux_aio, kernel_interface::posix_aio})
            message += std::string(name_of(seen[each].code)) + ' ';
        return 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_EQ(end.message, "killed_by_seccomp works works killed_by_seccomp works ");
}

// A filter that forbids one register operation hides no other: what is found out by trying is what
// the kernel says when it is asked.
TEST_F(host_ring_refused, a_silent_kernel_is_found_out_by_trying) {
    const host asked = probe_host();
    if (asked.ring.query_error != 0) GTEST_SKIP() << "this kernel cannot be asked (before 6.18)";
    const child_end end = run_in_child([&](std::string& message) {
        const auto query = static_cast<std::uint32_t>(uring_abi::register_op::query);
        if (const int error = forbid({{register_call, EINVAL, argument_is{1, query}}}); error != 0)
            return error;
        const host tried = probe_host();
        if (tried.ring.query_error != EINVAL) return 1;
        if (!tried[kernel_interface::uring].available) return 2;
        std::size_t known = 0;
        const auto compare = [&](const capability_set& tried_set, const capability_set& asked_set,
                                 const char* what) {
            for (std::size_t i = 0; i < capability_set::size; ++i) {
                if (tried_set[i] == presence::unknown) continue;
                ++known;
                if (tried_set[i] != asked_set[i])
                    message += std::string(what) + ' ' + std::to_string(i) + "; ";
            }
        };
        compare(tried.ring.setup, asked.ring.setup, "setup");
        compare(tried.ring.enter, asked.ring.enter, "enter");
        compare(tried.ring.sqe, asked.ring.sqe, "sqe");
        compare(tried.ring.opcodes, asked.ring.opcodes, "opcode");
        compare(tried.ring.register_operations, asked.ring.register_operations, "register");
        // 14 setup flags, 7 register operations, every opcode, a few enter and entry flags.
        if (known < 14 + 7 + uring_abi::op_count) return 3;
        return message.empty() ? 0 : 4;
    });
    EXPECT_TRUE(end.succeeded()) << end;
}

// The driver can do without these, so a ring is still usable, and the sentence says what failed.
TEST_F(host_ring_refused, what_the_driver_can_do_without_is_named) {
    const auto ring_fds = static_cast<std::uint32_t>(uring_abi::register_op::ring_fds);
    const auto pbuf_ring = static_cast<std::uint32_t>(uring_abi::register_op::pbuf_ring);
    const std::string found = probe_under({{register_call, EINVAL, argument_is{1, ring_fds}},
                                           {register_call, EINVAL, argument_is{1, pbuf_ring}}});
    EXPECT_THAT(found, StartsWith(expected_start(reason::works, 0, "uring")));
    EXPECT_THAT(found, HasSubstr("multishot receive (EINVAL)"));
    EXPECT_THAT(found, HasSubstr("registered ring (EINVAL)"));
}

// With a filter in force and no child to be had, a call that may kill is not made.
TEST_F(host_ring_refused, is_not_tried_where_that_could_be_deadly) {
    const child_end end = run_in_child([](std::string& message) {
        const int error = forbid({{SYS_clone, EAGAIN}, {setup_call, 0, {}, verdict::kill}});
        if (error != 0) return error;
        const host seen = probe_host();
        message = std::string(name_of(seen[kernel_interface::uring].code)) + ' ' +
                  std::string(name_of(seen[kernel_interface::epoll].code)) + ' ' +
                  choose_driver(seen).name;
        return 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_EQ(end.message, "not_tried works epoll");
}

std::atomic<int> child_signals{0};

TEST_F(host_ring_refused, the_trial_child_is_never_heard_of) {
    const child_end end = run_in_child([](std::string& message) {
        std::signal(SIGCHLD, [](int) { ++child_signals; });
        if (const int error = forbid({{setup_call, EPERM}}); error != 0) return error;
        const host seen = probe_host();
        if (seen.system.seccomp != host_system::seccomp_mode::filter) return 1;
        message = std::to_string(child_signals.load());
        // Nothing is left to wait for, of any kind.
        return ::waitpid(-1, nullptr, WNOHANG | __WALL) == -1 && errno == ECHILD ? 0 : 2;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_EQ(end.message, "0");
}

}  // namespace
}  // namespace upcall
