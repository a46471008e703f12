// Whoever starts a program may have closed its standard input, output or errors. What is opened
// next would get their numbers, and a client what is meant for a terminal.
#pragma once

namespace upcall {

/// Opens the null device in place of each standard descriptor that is closed, as far as that can be
/// had. To be called first, before anything else is opened; by one thread. Does nothing on Windows,
/// where standard handles have no numbers that are given out again.
void fill_standard_descriptors() noexcept;

}  // namespace upcall
