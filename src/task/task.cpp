#include <upcall/base/fatal.hpp>
#include <upcall/task/detail/awaiting.hpp>

namespace upcall::detail {

void awaited_wrongly(bool moved, const char* name) noexcept {
    if (moved) fatal("task \"%s\" awaited or spawned an empty task: one that was moved from", name);
    fatal("task \"%s\" awaited or spawned a task that was awaited before: that can be done once",
          name);
}

}  // namespace upcall::detail
