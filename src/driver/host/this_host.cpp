#include <upcall/driver/host.hpp>

#include <mutex>
#include <utility>

namespace upcall {
namespace {

struct host_cache {
    std::mutex guard;
    std::shared_ptr<const host> seen;
};

// Never destroyed: threads that outlive main may still ask.
host_cache& cache() {
    static auto* const the_cache = new host_cache;
    return *the_cache;
}

}  // namespace

std::shared_ptr<const host> this_host() {
    host_cache& kept = cache();
    const std::lock_guard held(kept.guard);
    if (!kept.seen) kept.seen = std::make_shared<const host>(probe_host());
    return kept.seen;
}

std::shared_ptr<const host> reprobe_host() {
    auto fresh = std::make_shared<const host>(probe_host());
    host_cache& kept = cache();
    const std::lock_guard held(kept.guard);
    kept.seen = fresh;
    return fresh;
}

}  // namespace upcall
