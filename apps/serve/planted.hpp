// Bugs that can be planted in the server, to see whether the simulator finds them. The server that
// is shipped has none: only files that are compiled once more, with UPCALL_PLANTED_BUGS and for the
// program that looks for them, know of any.
//
//     if (UPCALL_PLANTED("a stop answers only what is at hand")) co_return true;
#pragma once

#ifdef UPCALL_PLANTED_BUGS

namespace upcall {

// Whether this bug is the one that is planted on this thread. Defined by the program that looks.
bool has_planted(const char* bug) noexcept;

}  // namespace upcall

#define UPCALL_PLANTED(bug) ::upcall::has_planted(bug)

#else

#define UPCALL_PLANTED(bug) false

#endif
