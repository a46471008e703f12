// Containers, sysctls and security modules refuse io_uring in several ways. The site is served in
// all of them, and the greeting says what was refused.
#include <linux/filter.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <atomic>
#include <thread>

#include "programs/served_site.hpp"
#include "support/seccomp.hpp"

namespace upcall::testing {
namespace {

using test::forbid;
using test::forbidden_call;

struct refusal_case {
    const char* name;
    std::vector<forbidden_call> rules;
};

class refused_io_uring : public ::testing::TestWithParam<refusal_case> {};

INSTANTIATE_TEST_SUITE_P(
    ways, refused_io_uring,
    ::testing::Values(refusal_case{"setup_unknown", {{SYS_io_uring_setup, ENOSYS}}},
                      refusal_case{"setup_forbidden", {{SYS_io_uring_setup, EPERM}}},
                      refusal_case{"setup_without_memory", {{SYS_io_uring_setup, ENOMEM}}},
                      refusal_case{"enter_forbidden", {{SYS_io_uring_enter, EPERM}}},
                      refusal_case{"enter_unknown", {{SYS_io_uring_enter, ENOSYS}}},
                      refusal_case{"register_forbidden", {{SYS_io_uring_register, EPERM}}},
                      refusal_case{"register_unknown", {{SYS_io_uring_register, ENOSYS}}},
                      refusal_case{"all_forbidden",
                                   {{SYS_io_uring_setup, EPERM},
                                    {SYS_io_uring_enter, EPERM},
                                    {SYS_io_uring_register, EPERM}}}),
    [](const auto& instance) { return std::string(instance.param.name); });

void expect_served(const served_site& server, const std::string& file) {
    for (int round = 0; round < 20; ++round) {
        const http_response got = server.get("/");
        ASSERT_EQ(got.status, 200);
        ASSERT_EQ(got.body, "<h1>it works</h1>\n");
    }
    const http_response large = server.get("/large");
    EXPECT_TRUE(large.complete);
    EXPECT_EQ(large.body, file);
}

TEST_P(refused_io_uring, leaves_a_server_that_serves_and_says_so) {
    const scratch_site site;
    const std::string file = scratch_site::pattern(3'000'000);
    site.put("large", file);
    const auto& rules = GetParam().rules;
    served_site server(site, {"--loops", "2"}, {.before = [&] { return forbid(rules) == 0; }});
    EXPECT_TRUE(server.greeting().starts_with("on epoll (uring: ")) << server.greeting();
    expect_served(server, file);
    EXPECT_EQ(server.stop(), 0);
}

TEST(refused_io_uring_by_name, ends_with_a_reason) {
    const scratch_site site;
    program server(
        "upcall", {"serve", site.path().string(), "--listen", "0", "--driver", "uring"},
        {.before = [] { return forbid({{SYS_io_uring_setup, EPERM}}) == 0; }, .read_errors = true});
    EXPECT_EQ(server.wait(), 1);
    EXPECT_NE(server.errors().rest().find("uring"), std::string::npos);
}

/// Answers io_uring_setup for a program: yes on its first thread, no on all others. A filter of
/// the kernel's alone cannot tell them apart.
class ring_gatekeeper {
  public:
    ring_gatekeeper() {
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_) != 0) std::abort();
    }
    ring_gatekeeper(const ring_gatekeeper&) = delete;
    ring_gatekeeper& operator=(const ring_gatekeeper&) = delete;
    ~ring_gatekeeper() {
        done_ = true;
        if (keeper_.joinable()) keeper_.join();
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    /// In the new process: the filter, whose questions go to `keep`.
    bool install() const {
        std::vector<sock_filter> program = {
            test::seccomp_detail::load(offsetof(seccomp_data, nr)),
            test::seccomp_detail::unless_skip(SYS_io_uring_setup, 1),
            test::seccomp_detail::answer(SECCOMP_RET_USER_NOTIF),
            test::seccomp_detail::answer(SECCOMP_RET_ALLOW)};
        sock_fprog whole{};
        whole.len = static_cast<unsigned short>(program.size());
        whole.filter = program.data();
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
        const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                        SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole);
        return listener >= 0 && pass(static_cast<int>(listener));
    }

    /// In the test: answers until it is destroyed.
    void keep() {
        keeper_ = std::thread([this] {
            const int questions = take();
            if (questions < 0) return;
            while (!done_) {
                pollfd interest{questions, POLLIN, 0};
                if (::poll(&interest, 1, 20) <= 0) continue;
                if (interest.revents & POLLIN) answer(questions);
                if (interest.revents & POLLHUP) break;
            }
            ::close(questions);
        });
    }

    int allowed() const { return allowed_; }
    int refused() const { return refused_; }

  private:
    void answer(int questions) {
        seccomp_notif question{};
        if (::ioctl(questions, SECCOMP_IOCTL_NOTIF_RECV, &question) != 0) return;
        seccomp_notif_resp reply{};
        reply.id = question.id;
        // The first thread's id is its process's.
        const auto thread = std::to_string(question.pid);
        const bool first = std::filesystem::exists("/proc/" + thread + "/task/" + thread) &&
                           is_process(question.pid);
        if (first) {
            reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
            ++allowed_;
        } else {
            reply.error = -EPERM;
            ++refused_;
        }
        ::ioctl(questions, SECCOMP_IOCTL_NOTIF_SEND, &reply);
    }
    static bool is_process(std::uint32_t thread) {
        std::ifstream status("/proc/" + std::to_string(thread) + "/status");
        for (std::string word; status >> word;) {
            std::uint32_t group = 0;
            if (word == "Tgid:") return status >> group && group == thread;
        }
        return false;
    }

    bool pass(int fd) const {
        char one = 0;
        iovec piece{&one, 1};
        alignas(cmsghdr) char room[CMSG_SPACE(sizeof fd)] = {};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        cmsghdr* part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
        return ::sendmsg(ends_[1], &message, 0) == 1;
    }
    int take() const {
        char one = 0;
        iovec piece{&one, 1};
        alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        pollfd interest{ends_[0], POLLIN, 0};
        if (::poll(&interest, 1, 30'000) <= 0) return -1;
        if (::recvmsg(ends_[0], &message, MSG_CMSG_CLOEXEC) != 1) return -1;
        int fd = -1;
        if (const cmsghdr* part = CMSG_FIRSTHDR(&message))
            std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
        return fd;
    }

    int ends_[2] = {-1, -1};
    std::thread keeper_;
    std::atomic<bool> done_ = false;
    std::atomic<int> allowed_ = 0;
    std::atomic<int> refused_ = 0;
};

TEST(io_uring_refused_on_the_second_thread, leaves_each_loop_its_own_driver) {
    const scratch_site site;
    const std::string file = scratch_site::pattern(3'000'000);
    site.put("large", file);
    ring_gatekeeper gate;
    gate.keep();
    served_site server(site, {"--loops", "2"},
                       {.before = [&] { return gate.install(); }, .read_errors = true});
    if (!server.greeting().starts_with("on uring,"))
        GTEST_SKIP() << "this host has no io_uring to refuse: " << server.greeting();
    const std::string said = server.process().errors().line();
    EXPECT_NE(said.find("loop 2 of 2 is on epoll (uring: "), said.npos) << said;
    // The kernel spreads connections over both loops.
    expect_served(server, file);
    bool seen_uring = false;
    bool seen_epoll = false;
    for (int round = 0; round < 200 && !(seen_uring && seen_epoll); ++round) {
        const std::string by = server.get("/").head;
        seen_uring |= by.find("uring") != by.npos;
        seen_epoll |= by.find("epoll") != by.npos;
    }
    EXPECT_TRUE(seen_uring && seen_epoll) << "one of the two loops has served nothing";
    EXPECT_GE(gate.allowed(), 1);
    EXPECT_GE(gate.refused(), 1);
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace upcall::testing
