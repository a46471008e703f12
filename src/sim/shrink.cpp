// Making a failure smaller: candidates are run, and kept while they fail in the same way.
#include <algorithm>
#include <bit>
#include <cctype>
#include <utility>

#include <upcall/sim/seeds.hpp>

namespace upcall::sim {
namespace {

/// What failures have in common that are taken for one.
std::string kind_of(const report& of) {
    std::string kind(1, static_cast<char>('0' + static_cast<int>(of.how)));
    for (const char letter : of.what.substr(0, of.what.find(';')))
        if (!std::isdigit(static_cast<unsigned char>(letter))) kind += letter;
    return kind;
}

class shrinking {
  public:
    shrinking(const scenario& what, const report& failed, const world_options& options,
              unsigned runs)
        : what_(what), options_(options), best_(failed), kind_(kind_of(failed)), runs_(runs) {
        // A candidate that goes on for long is no smaller.
        options_.limits.outcomes = failed.outcomes * 4 + 10'000;
    }

    report find() {
        drop_faults();
        shorten();
        for (std::size_t span = std::bit_floor(best_.choices.size()); span > 0; span /= 2)
            simplify(span);
        shorten();
        return std::move(best_);
    }

  private:
    bool keep(report&& made) {
        if (made.ok() || kind_of(made) != kind_) return false;
        while (!made.choices.empty() && made.choices.back() == 0) made.choices.pop_back();
        best_ = std::move(made);
        return true;
    }

    bool spend() {
        if (runs_ <= 0) return false;
        --runs_;
        return true;
    }

    bool try_choices(std::vector<std::uint64_t> chosen) {
        if (!spend()) return false;
        report candidate;
        candidate.seed = best_.seed;
        candidate.without = best_.without;
        candidate.choices = std::move(chosen);
        return keep(replay(what_, candidate, options_));
    }

    // By the seed, whose choices then mean something else: a new run that may fail as well.
    void drop_faults() {
        for (std::uint32_t bit = 1; bit <= static_cast<std::uint32_t>(fault_last); bit *= 2) {
            if ((best_.without & bit) || !spend()) continue;
            world_options fewer = options_;
            fewer.kernel.seed = best_.seed;
            fewer.without = best_.without | bit;
            keep(run_seed(what_, fewer));
        }
    }

    // The shortest beginning that fails, the rest being as plain as can be.
    void shorten() {
        std::size_t passes = 0;
        std::size_t fails = best_.choices.size();
        while (passes + 1 < fails) {
            const std::size_t middle = passes + (fails - passes) / 2;
            const auto end = best_.choices.begin() + static_cast<std::ptrdiff_t>(middle);
            if (!try_choices({best_.choices.begin(), end})) {
                if (runs_ == 0) return;
                passes = middle;
            } else {
                fails = std::min(middle, best_.choices.size());
            }
        }
    }

    // Spans of choices left out, else made plain.
    void simplify(std::size_t span) {
        for (std::size_t at = 0; at < best_.choices.size() && runs_ > 0; at += span) {
            const auto length = std::min(span, best_.choices.size() - at);
            const auto begin = static_cast<std::ptrdiff_t>(at);
            const auto end = begin + static_cast<std::ptrdiff_t>(length);
            auto without = best_.choices;
            const bool plain = std::all_of(without.begin() + begin, without.begin() + end,
                                           [](std::uint64_t one) { return one == 0; });
            if (plain) continue;
            auto zeros = without;
            without.erase(without.begin() + begin, without.begin() + end);
            if (try_choices(std::move(without))) continue;
            std::fill(zeros.begin() + begin, zeros.begin() + end, 0);
            try_choices(std::move(zeros));
        }
    }

    const scenario& what_;
    world_options options_;
    report best_;
    std::string kind_;
    unsigned runs_;
};

}  // namespace

report shrink(const scenario& what, const report& failed, const world_options& options,
              unsigned runs) {
    if (failed.ok()) return failed;
    return shrinking(what, failed, options, runs).find();
}

}  // namespace upcall::sim
