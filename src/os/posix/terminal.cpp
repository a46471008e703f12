#include <upcall/os/terminal.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

namespace upcall {

output_terminal standard_output() noexcept {
    output_terminal found;
    found.is_terminal = ::isatty(STDOUT_FILENO) == 1;
    winsize size{};
    if (found.is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        found.columns = size.ws_col;
    return found;
}

}  // namespace upcall
