#include <upcall/loop/mailbox.hpp>

#include <thread>
#include <utility>

#include "base/planted.hpp"

namespace upcall {

// The head decides everything in one compare-and-swap: whether the box takes the node, and whether
// this post is the one that has to wake. A node that was pushed onto a mark is the oldest.

constinit ready_node mailbox::marks_[2];

bool mailbox::post(ready_node& node) noexcept {
    ready_node* head = head_.load(std::memory_order_relaxed);
    for (;;) {
        if (head == closed()) return false;
        if (head == asleep()) return post_and_wake(node);
        node.ready_next = head;
        if (head_.compare_exchange_weak(head, &node, std::memory_order_release,
                                        std::memory_order_relaxed))
            return true;
    }
}

// `waking_` is raised before the swap that may succeed, and `close` waits for it to fall after it
// has taken the head: if the swap came first, close sees the raise and waits for the wake to
// return; if close came first, the swap fails and nobody wakes.
bool mailbox::post_and_wake(ready_node& node) noexcept {
    waking_.fetch_add(1, std::memory_order_relaxed);
    ready_node* head = head_.load(std::memory_order_relaxed);
    bool taken = false;
    while (head != closed() && !taken) {
        node.ready_next = head == asleep() ? nullptr : head;
        taken = head_.compare_exchange_weak(head, &node, std::memory_order_release,
                                            std::memory_order_relaxed);
    }
    if (taken && head == asleep()) wake_(argument_);
    waking_.fetch_sub(1, std::memory_order_release);
    return taken;
}

void mailbox::turn_over(ready_node* newest, ready_queue& ready) noexcept {
    ready_node* oldest = nullptr;
    while (newest) {
        ready_node* following = newest->ready_next;
        newest->ready_next = oldest;
        oldest = newest;
        newest = following;
    }
    while (oldest) {
        ready_node* following = oldest->ready_next;
        if (UPCALL_PLANTED("mailbox hands over one post at a time")) following = nullptr;
        ready.push(*oldest);
        oldest = following;
    }
}

bool mailbox::collect(ready_queue& ready) noexcept {
    ready_node* head = head_.load(std::memory_order_relaxed);
    if (!head) return false;
    if (head == closed()) {
        head = std::exchange(last_, nullptr);
        turn_over(head, ready);
        return head != nullptr;
    }
    head = head_.exchange(nullptr, std::memory_order_acquire);
    if (head == asleep()) return false;
    turn_over(head, ready);
    return true;
}

bool mailbox::ask_to_be_woken() noexcept {
    ready_node* head = nullptr;
    return head_.compare_exchange_strong(head, asleep(), std::memory_order_relaxed,
                                         std::memory_order_relaxed) ||
           head == asleep() || head == closed();
}

void mailbox::close() noexcept {
    ready_node* head = head_.exchange(closed(), std::memory_order_acq_rel);
    if (!is_mark(head)) last_ = head;
    while (waking_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

}  // namespace upcall
