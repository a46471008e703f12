// Random programs are told the same by the simulated kernel, whatever its seed, and by every kernel
// of this host: all but what order things on different handles come in.
#include <gtest/gtest.h>

#include "agreement.hpp"
#include "support/loop_test.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::sim {
namespace {

using traces = std::vector<std::vector<std::string>>;

constexpr std::uint64_t programs = 25;

/// Three programs side by side on one loop.
traces run_on(loop& home, std::uint64_t seed, const std::string& folder) {
    told streams(seed * 3);
    told datagrams(seed * 3 + 1);
    told files(seed * 3 + 2);
    upcall::testing::run_task(home, [&]() -> task<> {
        co_await when_all(use_streams(streams), use_datagrams(datagrams), use_files(files, folder));
    }());
    return {streams.lines(), datagrams.lines(), files.lines()};
}

traces run_simulated(std::uint64_t seed, std::uint64_t world_seed) {
    sim_options options;
    options.seed = world_seed;
    sim_kernel kernel(options);
    auto home = loop::create(
        [&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
            return make_sim_driver(kernel, lent);
        },
        upcall::testing::small_loop());
    return run_on(**home, seed, "/");
}

/// The first line in which they differ; empty if none does.
std::string difference(const traces& left, const traces& right) {
    for (std::size_t which = 0; which < left.size(); ++which) {
        const auto& one = left[which];
        const auto& other = right[which];
        for (std::size_t at = 0; at < std::max(one.size(), other.size()); ++at) {
            const std::string here = at < one.size() ? one[at] : "(the end)";
            const std::string there = at < other.size() ? other[at] : "(the end)";
            if (here == there) continue;
            return "program " + std::to_string(which) + ", line " + std::to_string(at) + ": " +
                   here + " / " + there;
        }
    }
    return {};
}

/// Those of this host but sigio, whose adapter is the one that epoll runs through.
std::vector<std::string> kernels() {
    std::vector<std::string> names = upcall::testing::tested_kernels();
    std::erase(names, "sigio");
    return names;
}

class agreement : public ::testing::TestWithParam<std::string> {};

TEST_P(agreement, of_random_programs) {
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        const upcall::testing::scratch_folder folder;
        const auto home = upcall::testing::make_test_loop(GetParam());
        const traces real = run_on(*home, seed, folder / "");
        EXPECT_EQ(difference(run_simulated(seed, seed), real), "") << "program " << seed;
        EXPECT_GT(real[0].size() + real[1].size() + real[2].size(), 60U);
    }
}

INSTANTIATE_TEST_SUITE_P(drivers, agreement, ::testing::ValuesIn(kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

// Its delays, segments and orders are no concern of a program.
TEST(agreement_of_seeds, of_random_programs) {
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        const traces first = run_simulated(seed, 1);
        for (std::uint64_t other = 2; other <= 6; ++other)
            EXPECT_EQ(difference(first, run_simulated(seed, other)), "") << "program " << seed;
    }
}

}  // namespace
}  // namespace upcall::sim
