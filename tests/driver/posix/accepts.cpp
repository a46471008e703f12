// Accepting: in order, one connection per operation, and clear errors when descriptors run out.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include "driver/posix/sockaddr.hpp"
#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class accepts : public driver_test {
  protected:
    void SetUp() override {
        listener_ = bench.listening(address::loopback(0), 64);
        where_ = *via().local_address(*listener_.record());
    }
    /// A blocking connection made behind the driver's back.
    int call() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        kernel_address native(where_);
        EXPECT_EQ(::connect(fd, native.get(), native.size), 0);
        return fd;
    }
    handle listener_;
    address where_;
};
UPCALL_FOR_EVERY_DRIVER(accepts);

TEST_P(accepts, each_connection_once) {
    probe accepting[5];
    std::set<std::int64_t> fds;
    for (auto& op : accepting) {
        op.kind = op_kind::accept;
        start(op, listener_);
    }
    int callers[5];
    for (int& fd : callers) fd = call();
    for (auto& op : accepting) fds.insert(bench.finish(op));
    EXPECT_EQ(fds.size(), 5U);
    for (const auto fd : fds) {
        ASSERT_GE(fd, 0);
        EXPECT_TRUE(::fcntl(static_cast<int>(fd), F_GETFD) & FD_CLOEXEC);
        EXPECT_TRUE(::fcntl(static_cast<int>(fd), F_GETFL) & O_NONBLOCK);
        ::close(static_cast<int>(fd));
    }
    for (const int fd : callers) ::close(fd);
}

TEST_P(accepts, cancelled_leaves_the_connection_to_the_next) {
    probe first;
    first.kind = op_kind::accept;
    start(first, listener_);
    bench.turn();
    first.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(first), -ECANCELED);
    const int caller = call();
    probe second;
    second.kind = op_kind::accept;
    const auto fd = perform(second, listener_);
    EXPECT_GE(fd, 0);
    ::close(static_cast<int>(fd));
    ::close(caller);
}

TEST_P(accepts, out_of_descriptors_is_an_error_and_passes) {
    const int caller = call();
    // The highest descriptor in use sets a limit that leaves none free below it.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    std::vector<int> fillers;
    probe accepting;
    accepting.kind = op_kind::accept;
    // One round trip first: the blocking driver's thread gets its own descriptor.
    start(accepting, listener_);
    ::close(static_cast<int>(bench.finish(accepting)));
    const int second_caller = call();
    const int highest = ::dup(caller);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(highest) + 1;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    for (int fd = ::dup(caller); fd >= 0; fd = ::dup(caller)) fillers.push_back(fd);
    start(accepting, listener_);
    const auto refused = bench.finish(accepting);
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(refused, -EMFILE);
    for (const int fd : fillers) ::close(fd);
    const auto accepted = perform(accepting, listener_);
    EXPECT_GE(accepted, 0);
    for (const int fd : {static_cast<int>(accepted), caller, second_caller, highest}) ::close(fd);
}

TEST_P(accepts, release_gives_out_a_blocking_descriptor) {
    const int caller = call();
    probe accepting;
    accepting.kind = op_kind::accept;
    const auto fd = perform(accepting, listener_);
    ASSERT_GE(fd, 0);
    auto wrapped = *via().adopt_accepted(static_cast<native_handle>(fd));
    const auto released = via().release(wrapped);
    ASSERT_TRUE(released);
    EXPECT_EQ(*released, fd);
    EXPECT_FALSE(wrapped);
    EXPECT_FALSE(::fcntl(static_cast<int>(fd), F_GETFL) & O_NONBLOCK);
    ::close(static_cast<int>(fd));
    ::close(caller);
}

}  // namespace
}  // namespace upcall::test
