// Inside libuv: an upcall loop as a uv_poll_t, with a uv_timer_t for its deadline that is set
// before each wait.
#include <uv.h>

#include <exception>

#include "guest.hpp"

namespace {

struct host {
    guest inner;
    uv_loop_t loop{};
    uv_poll_t readable{};
    uv_timer_t deadline{};
    uv_prepare_t before_wait{};
    uv_timer_t own_timer{};  // stands for what the host does besides
    int ticks = 0;

    static host& of(void* data) { return *static_cast<host*>(data); }

    void start() {
        uv_loop_init(&loop);
        uv_poll_init(&loop, &readable, inner.descriptor());
        uv_timer_init(&loop, &deadline);
        uv_prepare_init(&loop, &before_wait);
        uv_timer_init(&loop, &own_timer);
        readable.data = deadline.data = before_wait.data = own_timer.data = this;
        uv_poll_start(&readable, UV_READABLE,
                      [](uv_poll_t* on, int, int) { of(on->data).inner.turn(); });
        uv_prepare_start(&before_wait, [](uv_prepare_t* on) { of(on->data).prepare(); });
        uv_timer_start(&own_timer, [](uv_timer_t* on) { ++of(on->data).ticks; }, 3, 3);
    }

    void prepare() {
        if (!inner.busy() && ticks >= ticks_min) return uv_stop(&loop);
        const int longest = inner.milliseconds();
        if (longest < 0)
            uv_timer_stop(&deadline);
        else
            uv_timer_start(
                &deadline, [](uv_timer_t* on) { of(on->data).inner.turn(); },
                static_cast<std::uint64_t>(longest), 0);
    }

    void end() {
        uv_walk(&loop, [](uv_handle_t* each, void*) { uv_close(each, nullptr); }, nullptr);
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
    }
};

}  // namespace

int main() {
    try {
        host outer;
        outer.start();
        uv_run(&outer.loop, UV_RUN_DEFAULT);
        outer.end();
        return tell(outer.inner, outer.ticks);
    } catch (const std::exception& refused) {
        std::fprintf(stderr, "%s\n", refused.what());
        return 2;
    }
}
