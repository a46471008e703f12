// Who reads what a program writes: a person at a terminal, or another program.
#pragma once

namespace upcall {

/// What standard output is connected to, at the time of asking.
struct output_terminal {
    /// False for a file, a pipe or nothing at all.
    bool is_terminal = false;
    /// Characters in a line; 0: unknown.
    unsigned columns = 0;
};

/// Any thread. Source: isatty(3), ioctl_tty(2); GetConsoleScreenBufferInfo on Windows.
output_terminal standard_output() noexcept;

}  // namespace upcall
