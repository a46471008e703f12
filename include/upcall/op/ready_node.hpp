// Something a loop can run.
#pragma once

namespace upcall {

/// A completed operation, a task to start, a posted call.
/// Lives in its owner's memory and may be in one queue at a time.
struct ready_node {
    /// The queue's own while it is in one.
    ready_node* ready_next = nullptr;
    /// Called once by the loop, after the node left the queue. May destroy the node.
    void (*run)(ready_node&) noexcept = nullptr;
};

}  // namespace upcall
