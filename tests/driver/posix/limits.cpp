// Descriptors past what select can name are refused with an error, and no handle starves another.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/posix/sockaddr.hpp"
#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class select_driver : public driver_test {
  protected:
    void SetUp() override {
        rlimit limit{};
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur < FD_SETSIZE + 64) {
            limit.rlim_cur = FD_SETSIZE + 64;
            if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
                GTEST_SKIP() << "the hard limit on descriptors is below FD_SETSIZE";
        }
    }
    void use_up_low_numbers() {
        for (int fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0); fd < FD_SETSIZE;
             fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0)) {
            ASSERT_GE(fd, 0);
            taken_.push_back(fd);
        }
    }
    ~select_driver() override {
        for (int fd = FD_SETSIZE; fd < FD_SETSIZE + 8; ++fd) ::close(fd);
        for (const int fd : taken_) ::close(fd);
    }
    std::vector<int> taken_;
};
INSTANTIATE_TEST_SUITE_P(drivers, select_driver, ::testing::Values(host_driver("select")),
                         [](const auto& driver_info) { return driver_info.param.name; });

TEST_P(select_driver, refuses_numbers_that_its_sets_do_not_hold) {
    auto listener = bench.listening();
    const auto where = *via().local_address(*listener.record());
    const int caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    kernel_address native(where);
    ASSERT_EQ(::connect(caller, native.get(), native.size), 0);
    use_up_low_numbers();
    const auto too_many = std::errc::too_many_files_open;
    EXPECT_EQ(via().open_socket(address_family::ipv4, socket_type::stream).error(), too_many);
    EXPECT_EQ(via().open_pair(socket_type::stream).error(), too_many);
    EXPECT_EQ(via().open_pipe().error(), too_many);
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    EXPECT_EQ(via().adopt(pair[0], handle_kind::stream).error(), too_many);
    EXPECT_FALSE(::fcntl(pair[0], F_GETFL) & O_NONBLOCK) << "what is refused is left as it was";
    EXPECT_EQ(via().adopt(pair[0], handle_kind::foreign).error(), too_many);
    EXPECT_EQ(accept(listener), -EMFILE);
    ::close(taken_.back());
    taken_.pop_back();
    const int second_caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(second_caller, native.get(), native.size), 0);
    ::close(second_caller);
    const auto accepted = accept(listener);
    EXPECT_LT(accepted, FD_SETSIZE);
    EXPECT_GE(accepted, 0);
    ::close(static_cast<int>(accepted));
    ::close(caller);
}

TEST_P(select_driver, works_up_to_the_last_number) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ASSERT_EQ(::dup2(pair[0], FD_SETSIZE - 1), FD_SETSIZE - 1);
    ::close(pair[0]);
    auto last = *via().adopt(FD_SETSIZE - 1, handle_kind::stream);
    std::byte bytes[4];
    probe op;
    fill(op, op_kind::read, bytes);
    start(op, last);
    settle();
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    EXPECT_EQ(bench.finish(op), 1);
    ::close(pair[1]);
}

class fairness : public driver_test {};
INSTANTIATE_TEST_SUITE_P(drivers, fairness,
                         ::testing::Values(host_driver("epoll"), host_driver("poll"),
                                           host_driver("select")),
                         [](const auto& driver_info) { return driver_info.param.name; });

TEST_P(fairness, a_hot_handle_leaves_room_for_a_quiet_one_in_the_same_turn) {
    auto hot = *via().open_pair(socket_type::stream);
    auto quiet = *via().open_pair(socket_type::stream);
    constexpr std::size_t count = 1000;
    std::byte bytes[1];
    std::vector<probe> busy(count);
    for (auto& op : busy) {
        fill(op, op_kind::read, bytes);
        start(op, hot.first);
    }
    probe lonely;
    std::byte other[1];
    fill(lonely, op_kind::read, other);
    start(lonely, quiet.first);
    settle();
    EXPECT_EQ(write(hot.second, std::string(count, 'h')), count);
    EXPECT_EQ(write(quiet.second, "q"), 1);
    while (!lonely.done()) bench.turn(never);
    EXPECT_FALSE(busy.back().done());
    // The rest needs no event any more, and no wait.
    while (!busy.back().done()) bench.turn(never);
    for (std::size_t at = 0; at < count; ++at) EXPECT_EQ(busy[at].completions, 1);
}

}  // namespace
}  // namespace upcall::test
