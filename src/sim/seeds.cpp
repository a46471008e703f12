#include <upcall/sim/seeds.hpp>

#include <exception>
#include <utility>

namespace upcall::sim {
namespace {

report run_in(const scenario& what, world& in, const world_options& options) {
    try {
        return what(in);
    } catch (const std::exception& why) {
        report failed;
        failed.seed = options.kernel.seed;
        failed.error = std::current_exception();
        failed.fail(std::string("an exception left the scenario: ") + why.what());
        return failed;
    }
}

}  // namespace

report run_seed(const scenario& what, const world_options& options) {
    world fresh(options);
    return run_in(what, fresh, options);
}

report replay(const scenario& what, const report& of, const world_options& options) {
    world_options same = options;
    same.kernel.seed = of.seed;
    same.without = of.without;
    world fresh(same, choices(of.choices));
    return run_in(what, fresh, same);
}

survey try_seeds(const scenario& what, const try_options& how) {
    survey seen;
    world_options options = how.world;
    for (std::uint64_t seed = how.first; seen.tried < how.count; ++seed) {
        options.kernel.seed = seed;
        report one = run_seed(what, options);
        ++seen.tried;
        seen.outcomes += one.outcomes;
        if (one.ok() && how.twice && run_seed(what, options).digest != one.digest)
            one.fail("two runs of one seed differ: something outside of the world has a say");
        const bool more = !how.progress || how.progress(one);
        if (!one.ok()) seen.failure = std::move(one);
        if (!more || seen.failure) break;
    }
    return seen;
}

}  // namespace upcall::sim
