// Memory orders weakened one at a time: each place in the code under test that declares more than
// relaxed is run as if it declared relaxed, and a program has to fail of it.
//
// What no program can miss is printed. Such an order is not proven to be too strong: a checker of
// sequentially consistent values does not see what seq_cst adds to acquire and release.
#include <map>
#include <set>
#include <string>

#include "model/programs.hpp"

namespace {

constexpr std::uint64_t executions_max = 250;

const char* word(int order) {
    switch (order) {
        case __ATOMIC_ACQUIRE:
            return "acquire";
        case __ATOMIC_RELEASE:
            return "release";
        case __ATOMIC_ACQ_REL:
            return "acq_rel";
        case __ATOMIC_SEQ_CST:
            return "seq_cst";
        default:
            return "relaxed";
    }
}

model::outcome run(const model::known_program& which, std::uintptr_t weakened) {
    model::settings how;
    how.threads = which.threads;
    how.weakened = weakened;
    how.executions_max = executions_max;
    return model::explore(which.make, how);
}

/// Whether it failed of more than of its size.
bool noticed(const model::outcome& all) {
    return !all.failure.empty() && all.failure.find("more executions") == std::string::npos;
}

/// What is not upcall's own to weaken: shared_ptr, the guards of function-local statics, and
/// programs.
bool foreign(const std::string& place) {
    return place.starts_with("shared_ptr") || place.starts_with("broken_pipe") ||
           place.starts_with("error.cpp") || place.starts_with("answering.hpp") ||
           place.starts_with("?");
}

/// Those that go through nothing that the others do not, and would only take time.
bool repeats(const std::string& group) { return group == "operations" || group == "pools"; }

// A place that was compiled in several copies counts as found if one of them is.
TEST(sabotages, most_weakened_orders_are_found) {
    std::map<std::string, std::string> found;
    std::set<std::string> missed;
    for (const model::known_program& one : model::known_programs()) {
        if (repeats(one.group)) continue;
        const model::outcome good = run(one, 0);
        ASSERT_FALSE(noticed(good)) << good.failure;
        for (const model::site& at : good.sites) {
            if (at.order == __ATOMIC_RELAXED) continue;
            const std::string place = model::place(at.address) + " " + word(at.order);
            if (foreign(place) || found.contains(place)) continue;
            if (noticed(run(one, at.address)))
                found[place] = std::string(one.group) + "/" + one.name;
            else
                missed.insert(place);
        }
    }
    for (const auto& [place, by] : found) {
        std::printf("%s: found by %s\n", place.c_str(), by.c_str());
        missed.erase(place);
    }
    for (const std::string& place : missed) std::printf("%s: not found\n", place.c_str());
    std::printf("%zu of %zu weakened orders found\n", found.size(), found.size() + missed.size());
    EXPECT_GE(found.size(), 28u);
}

}  // namespace
