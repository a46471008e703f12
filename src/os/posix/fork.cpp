#include <upcall/os/fork.hpp>

#include <pthread.h>

namespace upcall {

void in_forked_children(void (*call)() noexcept) noexcept {
    ::pthread_atfork(nullptr, nullptr, call);
}

}  // namespace upcall
