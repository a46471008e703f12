#include "serve/loop_registry.hpp"

#include <algorithm>

#include "serve/loop_server.hpp"

namespace upcall_serve {

void loop_registry::add(loop_server& own) {
    const std::lock_guard held(mutex_);
    entries_.push_back({upcall::loop::current(), &own});
}

void loop_registry::remove(const loop_server& own) noexcept {
    const std::lock_guard held(mutex_);
    std::erase_if(entries_, [&](const entry& each) { return each.server == &own; });
}

void loop_registry::end_one_idle_beside(const loop_server& asking, makes_room which) {
    const std::lock_guard held(mutex_);
    for (std::size_t tries = 0; tries < entries_.size(); ++tries) {
        const entry& other = entries_[next_++ % entries_.size()];
        if (other.server == &asking) continue;
        // Its loop lives, as it is here.
        other.home->post(
            [this, server = other.server, which]() noexcept { end_one_idle_of(server, which); });
        return;
    }
}

// On the loop of `server`, which may have ended meanwhile.
void loop_registry::end_one_idle_of(const loop_server* server, makes_room which) {
    loop_server* found = nullptr;
    {
        const std::lock_guard held(mutex_);
        for (const entry& each : entries_)
            if (each.server == server) found = each.server;
    }
    // Only this thread could remove it.
    if (found) found->end_one_idle(which);
}

}  // namespace upcall_serve
