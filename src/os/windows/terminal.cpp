#include <upcall/os/terminal.hpp>

#include <windows.h>

namespace upcall {

output_terminal standard_output() noexcept {
    output_terminal found;
    const HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD mode = 0;
    found.is_terminal = GetConsoleMode(out, &mode) != 0;
    CONSOLE_SCREEN_BUFFER_INFO screen{};
    if (found.is_terminal && GetConsoleScreenBufferInfo(out, &screen) != 0)
        found.columns = static_cast<unsigned>(screen.srWindow.Right - screen.srWindow.Left + 1);
    return found;
}

}  // namespace upcall
