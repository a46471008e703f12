// The loops that serve, for when one of them needs what only another can do.
#pragma once

#include <upcall/loop/loop.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace upcall_serve {

struct loop_server;
enum class makes_room : std::uint8_t;

// Any thread.
class loop_registry {
  public:
    // On the loop's own thread. What was added is removed before it ends.
    void add(loop_server& own);
    void remove(const loop_server& own) noexcept;

    // Asks one loop besides that of `asking`, the next one each time, to end its connection that
    // has been idle longest. Throws std::bad_alloc.
    void end_one_idle_beside(const loop_server& asking, makes_room which);

  private:
    struct entry {
        upcall::loop* home;
        loop_server* server;
    };

    void end_one_idle_of(const loop_server* server, makes_room which);

    std::mutex mutex_;
    std::vector<entry> entries_;
    std::size_t next_ = 0;
};

}  // namespace upcall_serve
