// The same seed makes the same run, down to every outcome and its time; so does the recorded stream
// of choices without the seed.
#include <gtest/gtest.h>

#include <vector>

#include "driver/sim/traffic.hpp"

namespace upcall::test {
namespace {

struct run_record {
    std::uint64_t digest = 0;
    std::uint64_t outcomes = 0;
    std::vector<std::uint64_t> choices;
    std::vector<sim_event> events;

    bool operator==(const run_record& other) const {
        return digest == other.digest && outcomes == other.outcomes && choices == other.choices;
    }
};

run_record record_of(sim_kernel& kernel) {
    run_record made;
    kernel.trace(
        [](void* argument, const sim_event& event) noexcept {
            static_cast<run_record*>(argument)->events.push_back(event);
        },
        &made);
    {
        traffic world(kernel);
        world.run();
    }
    EXPECT_EQ(kernel.open_descriptors(), 0U);
    made.digest = kernel.digest();
    made.outcomes = kernel.outcomes();
    made.choices.assign(kernel.chosen().recorded().begin(), kernel.chosen().recorded().end());
    return made;
}

run_record record_of(const sim_options& options) {
    sim_kernel kernel(options);
    return record_of(kernel);
}

TEST(sim_determinism, one_seed_is_one_run) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        const auto first = record_of({.seed = seed});
        EXPECT_GT(first.outcomes, 100U);
        EXPECT_EQ(first.outcomes, first.events.size());
        EXPECT_TRUE(first == record_of({.seed = seed}));
    }
}

TEST(sim_determinism, other_seeds_are_other_runs) {
    EXPECT_NE(record_of({.seed = 1}).digest, record_of({.seed = 2}).digest);
}

TEST(sim_determinism, recorded_choices_are_the_whole_run) {
    sim_options options{.seed = 5};
    const auto first = record_of(options);
    options.seed = 6;  // no longer matters
    sim_kernel replay(options, choices(first.choices));
    EXPECT_TRUE(first == record_of(replay));
}

TEST(sim_determinism, an_edited_record_still_is_a_legal_run) {
    auto stream = record_of({.seed = 5}).choices;
    for (std::size_t at = 0; at < stream.size(); at += 3) stream[at] /= 2;
    stream.resize(stream.size() / 2);
    sim_kernel edited({}, choices(stream));
    EXPECT_GT(record_of(edited).outcomes, 100U);
    sim_kernel plainest({}, choices(std::vector<std::uint64_t>{}));
    EXPECT_GT(record_of(plainest).outcomes, 100U);
}

TEST(sim_determinism, the_digest_sees_every_part_of_an_outcome) {
    // A digest that ignored one of them would let a run differ unnoticed.
    const auto first = record_of({.seed = 3});
    auto slow = sim_options{.seed = 3};
    slow.turn_cost = std::chrono::microseconds(2);
    EXPECT_NE(first.digest, record_of(slow).digest) << "time";
    auto files = sim_options{.seed = 3};
    files.disk_bytes = 0;
    sim_kernel full(files);
    sim_kernel roomy({.seed = 3});
    for (sim_kernel* kernel : {&full, &roomy}) {
        driver_bench bench(
            [&](const driver_environment& lent) { return make_sim_driver(*kernel, lent); });
        handle file = bench.open("/f", open_write | open_create);
        bench_operation op;
        bench.file_write(op, file, 0, bytes_of("x"));
        bench.finish(op);
    }
    EXPECT_EQ(full.now(), roomy.now());
    EXPECT_NE(full.digest(), roomy.digest()) << "result";
}

TEST(sim_determinism, faults_too_are_drawn_from_the_seed) {
    sim_options options{.seed = 11};
    options.faults.short_read = 200'000;
    options.faults.short_write = 200'000;
    options.faults.short_file_write = 100'000;
    const auto first = record_of(options);
    EXPECT_TRUE(first == record_of(options));
}

}  // namespace
}  // namespace upcall::test
