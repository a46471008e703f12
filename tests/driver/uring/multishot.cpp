// A socket that cannot be accepted or received on does not cost the others the entries that stay
// armed. Went wrong: its EINVAL was taken for that of a kernel which knows none, for good.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

#include "support/uring_bench.hpp"

namespace upcall::test {
namespace {

class multishot : public uring_bench {
  protected:
    /// Whether accepting stays armed after a value.
    bool accepts_many() {
        handle listener = bench().listening();
        const address where = bench().via().local_address(*listener.record()).value();
        bench_operation accepting;
        bench().accept(accepting, listener, op_multishot);
        handle clients[2];
        for (handle& client : clients) {
            client = bench().via().open_socket(where.family(), socket_type::stream).value();
            bench_operation connecting;
            bench().connect(connecting, client, where);
            EXPECT_EQ(bench().finish(connecting), 0);
        }
        bench().until([&] { return accepting.done() || accepting.values.size() == 2; });
        const bool many = !accepting.done();
        if (many) {
            accepting.request_cancel(cancel_cause::cancelled);
            EXPECT_EQ(bench().finish(accepting), -ECANCELED);
        } else {
            bench().via().own(static_cast<native_handle>(accepting.result)).close();
        }
        for (const auto& one : accepting.values)
            bench().via().own(static_cast<native_handle>(one.number)).close();
        return many;
    }

    /// Whether receiving does.
    bool receives_many() {
        auto [here, there] = bench().via().open_pair(socket_type::stream).value();
        bench_operation receiving;
        bench().receive(receiving, there, op_multishot);
        for (int count = 1; count <= 2; ++count) {
            bench_operation writing;
            bench().write(writing, here, bytes_of("x"));
            EXPECT_EQ(bench().finish(writing), 1);
            const auto come = static_cast<std::size_t>(count);
            bench().until([&] { return receiving.done() || receiving.values.size() == come; });
        }
        const bool many = !receiving.done();
        if (many) {
            receiving.request_cancel(cancel_cause::cancelled);
            EXPECT_EQ(bench().finish(receiving), -ECANCELED);
        } else if (receiving.leased) {
            bench().buffers().give_back(receiving.leased);
        }
        for (const auto& one : receiving.values) bench().buffers().give_back(one.leased);
        return many;
    }

    handle unconnected(int family, handle_kind as) {
        const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return bench().via().adopt(fd, as).value();
    }
};

TEST_F(multishot, accepting_is_kept_when_a_socket_does_not_listen) {
    if (!accepts_many()) GTEST_SKIP() << "this kernel accepts one at a time";
    handle silent = unconnected(AF_INET, handle_kind::listener);
    bench_operation refused;
    bench().accept(refused, silent, op_multishot);
    EXPECT_EQ(bench().finish(refused), -EINVAL);
    EXPECT_TRUE(accepts_many());
}

TEST_F(multishot, receiving_is_kept_when_a_socket_is_not_connected) {
    if (!receives_many()) GTEST_SKIP() << "this kernel receives one at a time";
    handle alone = unconnected(AF_UNIX, handle_kind::stream);
    bench_operation refused;
    bench().receive(refused, alone, op_multishot);
    EXPECT_EQ(bench().finish(refused), -EINVAL);
    EXPECT_TRUE(receives_many());
}

}  // namespace
}  // namespace upcall::test
