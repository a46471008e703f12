// Writing to a pipe or socket whose reader is gone is an error code here, never a signal.
#pragma once

namespace upcall {

/// Sockets are told so with each send, but write(2) on a pipe has no such flag. So the process
/// ignores SIGPIPE from the first loop on, if its disposition is still the default one, which would
/// end the program; a handler of the program's own is left alone. Any thread, any number of times;
/// looks once. Does nothing on Windows. See pipe(7), signal(7).
void ignore_broken_pipe_signal() noexcept;

}  // namespace upcall
