// Where other threads leave work for a loop.
//
// A lock-free stack that the loop turns over and empties at once, so each producer's posts run in
// the order in which it made them. Only a post that finds the box empty and the loop not about to
// look wakes the loop. The box outlives the loop for as long as somebody holds it, and then says
// no.
#pragma once

#include <atomic>
#include <cstdint>

#include <upcall/op/ready_queue.hpp>

namespace upcall {

/// `post` is for any thread, the rest for the loop's.
class mailbox {
  public:
    /// `wake` is called with `argument`, on the posting thread, until `close` has returned.
    mailbox(void (*wake)(void* argument) noexcept, void* argument) noexcept
        : wake_(wake), argument_(argument) {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;

    /// Hands `node` to the loop. True: it will be run exactly once, by the loop or while it is
    /// being destroyed. False: the loop is gone and the caller still owns the node. Any thread.
    bool post(ready_node& node) noexcept;

    // ---- the loop's thread ------------------------------------------------------------------

    /// Moves everything posted to `ready`. From here until `ask_to_be_woken`, posts do not wake:
    /// the loop promises to look again. Returns whether there was something.
    bool collect(ready_queue& ready) noexcept;

    /// The next post is to wake the loop. False: there is something in the box already.
    bool ask_to_be_woken() noexcept;

    /// Refuses further posts and waits until no poster touches the loop any more. What was
    /// accepted before stays for a last `collect`.
    void close() noexcept;

    /// Whether nothing waits to be collected. Out of date at once while others post.
    bool empty() const noexcept { return is_mark(head_.load(std::memory_order_relaxed)) && !last_; }

  private:
    // What the head may be besides the newest node: nothing (null), or one of two marks.
    static ready_node* asleep() noexcept { return &marks_[0]; }
    static ready_node* closed() noexcept { return &marks_[1]; }
    static bool is_mark(const ready_node* head) noexcept {
        return !head || head == asleep() || head == closed();
    }

    static ready_node marks_[2];

    bool post_and_wake(ready_node& node) noexcept;
    static void turn_over(ready_node* newest, ready_queue& ready) noexcept;

    void (*wake_)(void*) noexcept;
    void* argument_;
    std::atomic<ready_node*> head_{asleep()};
    std::atomic<std::uint32_t> waking_{0};
    ready_node* last_ = nullptr;  // what was in the box when it was closed
};

}  // namespace upcall
