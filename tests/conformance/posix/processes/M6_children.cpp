#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

/// A child that lives until the other end of its pipe is closed.
class waiting_child {
  public:
    explicit waiting_child(int exit_code) {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) return;
        id_ = ::fork();
        ::close(ends[id_ == 0 ? 1 : 0]);
        if (id_ == 0) {
            char nothing;
            const auto got = ::read(ends[0], &nothing, 1);
            ::_exit(got == 0 ? exit_code : 99);
        }
        leash_ = ends[1];
    }
    waiting_child(const waiting_child&) = delete;
    ~waiting_child() { end(); }

    pid_t id() const noexcept { return id_; }
    void end() noexcept {
        if (leash_ >= 0) ::close(leash_);
        leash_ = -1;
    }
    /// Its end is taken; false: it has not ended.
    bool reaped(int& status) const noexcept { return ::waitpid(id_, &status, WNOHANG) == id_; }

  private:
    pid_t id_ = -1;
    int leash_ = -1;
};

}  // namespace

TEST_P(every_driver, M6_the_end_of_a_child_is_told_with_how_it_came) {
    run([&]() -> task<> {
        auto ends = signal_set::watch({SIGCHLD}).value();
        int status = 0;
        {
            waiting_child child(7);
            running waiting(home(), ends.next());
            co_await turns(2);
            EXPECT_FALSE(waiting.done());
            child.end();
            co_await waiting.ended();
            const signal_event came = waiting.outcome().value();
            EXPECT_EQ(came.sender, child.id());
            EXPECT_EQ(came.code, CLD_EXITED);
            EXPECT_EQ(came.status, 7);
            EXPECT_TRUE(child.reaped(status)) << "when it is told it can be waited for";
        }
        waiting_child killed(0);
        EXPECT_EQ(::kill(killed.id(), SIGKILL), 0);
        const signal_event came = (co_await ends.next()).value();
        EXPECT_EQ(came.sender, killed.id());
        EXPECT_EQ(came.code, CLD_KILLED);
        EXPECT_EQ(came.status, SIGKILL);
        EXPECT_TRUE(killed.reaped(status));
        running nothing(home(), ends.next());
        co_await turns(3);
        EXPECT_FALSE(nothing.done());
        ends.close();
        co_await nothing.ended();
    });
}

// The kernel keeps one SIGCHLD for all that end before it is taken.
TEST_P(every_driver, M6_of_children_that_end_together_none_is_missed) {
    run([&]() -> task<> {
        constexpr int count = 12;
        auto ends = signal_set::watch({SIGCHLD}).value();
        std::vector<std::unique_ptr<waiting_child>> children;
        for (int code = 0; code < count; ++code)
            children.push_back(std::make_unique<waiting_child>(code));
        // Each holds the leashes of those before it, so the last one ends first.
        for (const auto& child : children) child->end();
        int seen = 0;
        while (!children.empty()) {
            EXPECT_TRUE(co_await ends.next());
            std::erase_if(children, [&](const auto& child) {
                int status = 0;
                if (!child->reaped(status)) return false;
                seen += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
                return true;
            });
        }
        EXPECT_EQ(seen, count * (count - 1) / 2);
    });
}

#ifdef SYS_pidfd_open
TEST_P(every_driver, M6_the_descriptor_of_a_child_is_readable_when_it_has_ended) {
    run([&]() -> task<> {
        waiting_child child(3);
        const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child.id(), 0));
        CO_ASSERT(descriptor >= 0);
        running waiting(home(), readable(descriptor));
        co_await turns(3);
        EXPECT_FALSE(waiting.done());
        child.end();
        co_await waiting.ended();
        EXPECT_TRUE(waiting.outcome());
        int status = 0;
        EXPECT_TRUE(child.reaped(status));
        EXPECT_EQ(WEXITSTATUS(status), 3);
        ::close(descriptor);
    });
}
#endif

}  // namespace upcall::test
