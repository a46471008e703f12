#include <upcall/os/broken_pipe.hpp>

#include <signal.h>

namespace upcall {

void ignore_broken_pipe_signal() noexcept {
    static const bool done = [] {
        struct sigaction current{};
        if (sigaction(SIGPIPE, nullptr, &current) == 0 && !(current.sa_flags & SA_SIGINFO) &&
            current.sa_handler == SIG_DFL) {
            struct sigaction ignore{};
            ignore.sa_handler = SIG_IGN;
            sigaction(SIGPIPE, &ignore, nullptr);
        }
        return true;
    }();
    static_cast<void>(done);
}

}  // namespace upcall
