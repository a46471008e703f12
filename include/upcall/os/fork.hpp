// What has to be made anew in a child of fork(2): it has its parent's memory, and of its threads
// only the one that forked.
//
//     in_forked_children([]() noexcept { pool = nullptr; });
#pragma once

namespace upcall {

/// Has `call()` called in every child of this process and of its children, in the child and before
/// fork returns there; other locks of the parent's may be held for ever. For good: it cannot be
/// taken back. Without memory for the note it is not called. Any thread. Does nothing where the
/// system has no fork.
void in_forked_children(void (*call)() noexcept) noexcept;

}  // namespace upcall
