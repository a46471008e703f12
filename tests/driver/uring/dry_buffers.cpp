// Receives that find no provided buffer go back to the kernel as buffers come back, and no earlier.
// Went wrong: all of them went back with every turn, and all but a few were refused again. Ten
// thousand connections that spoke at once were answered at a seventh of the speed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/uring_bench.hpp"

namespace upcall::test {
namespace {

/// Many streams with a byte to receive on each, and 64 buffers.
class dry_buffers : public uring_bench {
  protected:
    struct connection {
        handle here;
        handle there;
        bench_operation receiving;
    };

    void TearDown() override {
        all_.clear();
        uring_bench::TearDown();
    }

    void fill(std::size_t streams) {
        while (all_.size() < streams) {
            auto made = std::make_unique<connection>();
            std::tie(made->here, made->there) =
                bench().via().open_pair(socket_type::stream).value();
            bench_operation writing;
            bench().write(writing, made->here, bytes_of("x"));
            EXPECT_EQ(bench().finish(writing), 1);
            all_.push_back(std::move(made));
        }
    }

    /// Gives the buffers back that have come with something; how many.
    std::size_t give_back() {
        std::size_t count = 0;
        for (const auto& one : all_) {
            if (!one->receiving.done() || !one->receiving.leased) continue;
            bench().buffers().give_back(std::exchange(one->receiving.leased, nullptr));
            ++count;
        }
        return count;
    }

    /// How many entries the kernel has taken from the ring so far; 0 where it does not tell.
    std::uint32_t entries_taken() {
        const auto ring = bench().via().pollable();
        std::ifstream told("/proc/self/fdinfo/" + std::to_string(ring.value()));
        for (std::string line; std::getline(told, line);)
            if (line.starts_with("SqHead:"))
                return static_cast<std::uint32_t>(std::stoul(line.substr(7)));
        return 0;
    }

    std::vector<std::unique_ptr<connection>> all_;
};

TEST_F(dry_buffers, are_asked_for_again_when_there_are_some) {
    fill(400);
    const std::uint32_t before = entries_taken();
    if (before == 0) GTEST_SKIP() << "this kernel does not tell how many entries it took";
    for (const auto& one : all_) bench().receive(one->receiving, one->there);
    std::size_t turns = 0;
    for (std::size_t received = 0; received < all_.size(); ++turns) {
        bench().turn(never);
        received += give_back();
    }
    EXPECT_GT(turns, all_.size() / 64 - 1) << "the buffers never ran dry";
    EXPECT_LE(entries_taken() - before, 2 * all_.size() + all_.size() / 4);
}

TEST_F(dry_buffers, leave_a_receive_that_can_be_cancelled_or_closed) {
    fill(400);
    for (const auto& one : all_) bench().receive(one->receiving, one->there);
    const auto ended = [&] {
        return std::ranges::count_if(all_, [](const auto& one) { return one->receiving.done(); });
    };
    bench().until([&] { return ended() == 64; });
    for (int turn = 0; turn < 3; ++turn) bench().turn();
    ASSERT_EQ(ended(), 64) << "the others wait for buffers";
    int nth = 0;
    int ends_early = 0;
    for (const auto& one : all_) {
        if (one->receiving.done()) continue;
        if (++nth % 3 == 0) continue;
        ++ends_early;
        if (nth % 3 == 1)
            one->receiving.request_cancel(cancel_cause::cancelled);
        else
            one->there.close();
    }
    bench().until([&] { return ended() == 64 + ends_early; });
    std::size_t received = give_back();
    EXPECT_EQ(received, 64u);
    while (received + static_cast<std::size_t>(ends_early) < all_.size()) {
        bench().turn(never);
        received += give_back();
    }
    for (const auto& one : all_) {
        EXPECT_EQ(one->receiving.completions, 1);
        EXPECT_TRUE(one->receiving.result == 1 || one->receiving.result == -ECANCELED);
    }
    EXPECT_EQ(bench().buffers().outstanding(), bench().via().buffers_in_stock());
}

}  // namespace
}  // namespace upcall::test
