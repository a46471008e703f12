// Where other threads leave work for a loop.
//
// A lock-free stack that the loop turns over and empties at once, so each producer's posts run in
// the order in which it made them. Only the post that finds the box empty wakes the loop. The box
// outlives the loop for as long as somebody holds it, and then says no.
#pragma once

#include <atomic>
#include <cstdint>

#include <upcall/op/ready_queue.hpp>

namespace upcall {

class mailbox {
  public:
    /// `wake` is called with `argument`, on the posting thread, until `close` has returned.
    mailbox(void (*wake)(void* argument) noexcept, void* argument) noexcept
        : wake_(wake), argument_(argument) {}

    /// Hands `node` to the loop. True: it will be run exactly once, by the loop or while it is
    /// being destroyed. False: the loop is gone and the caller still owns the node. Any thread.
    bool post(ready_node& node) noexcept;

    /// Moves everything posted to `ready`. The loop's thread.
    void collect(ready_queue& ready) noexcept;

    /// Refuses further posts and waits until no poster touches the loop any more. What was
    /// accepted before stays for a last `collect`.
    void close() noexcept;

    bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

  private:
    void (*wake_)(void*) noexcept;
    void* argument_;
    std::atomic<ready_node*> head_{nullptr};
    std::atomic<bool> closed_{false};
    std::atomic<std::uint32_t> posting_{0};
};

}  // namespace upcall
