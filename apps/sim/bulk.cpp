#include "sim/bulk.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace upcall_sim {

using namespace upcall;

namespace {

class bulk {
  public:
    bulk(const suite& which, const bulk_options& how) : which_(which), how_(how) {}

    bulk_outcome run() {
        std::vector<std::jthread> others;
        for (unsigned thread = 1; thread < how_.threads; ++thread)
            others.emplace_back([this] { work(); });
        work();
        others.clear();
        return std::move(outcome_);
    }

  private:
    void work() {
        if (how_.prepare) how_.prepare();
        while (!failed_.load(std::memory_order_relaxed)) {
            const std::uint64_t at = next_.fetch_add(1, std::memory_order_relaxed);
            if (at >= how_.count) return;
            sim::try_options one;
            one.first = how_.first + at;
            one.count = 1;
            one.world = which_.options;
            one.twice = how_.twice;
            note(sim::try_seeds(which_.run, one));
        }
    }

    void note(sim::survey&& seen) {
        const std::scoped_lock lock(noting_);
        ++outcome_.seeds;
        outcome_.outcomes += seen.outcomes;
        if (how_.progress) how_.progress(outcome_.seeds);
        if (!seen.failure) return;
        failed_.store(true, std::memory_order_relaxed);
        if (!outcome_.failure || seen.failure->seed < outcome_.failure->seed)
            outcome_.failure = std::move(seen.failure);
    }

    const suite& which_;
    const bulk_options& how_;
    std::atomic<std::uint64_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex noting_;
    bulk_outcome outcome_;
};

}  // namespace

bulk_outcome run_bulk(const suite& which, const bulk_options& how) {
    return bulk(which, how).run();
}

}  // namespace upcall_sim
