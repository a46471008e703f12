#include <upcall/loop/mailbox.hpp>

#include <thread>

namespace upcall {

// `posting_` is raised before `closed_` is read, and `close` sets `closed_` before it waits for
// `posting_` to fall: a post either sees the box closed or is waited for, wake included.
bool mailbox::post(ready_node& node) noexcept {
    posting_.fetch_add(1, std::memory_order_seq_cst);
    if (closed_.load(std::memory_order_seq_cst)) {
        posting_.fetch_sub(1, std::memory_order_release);
        return false;
    }
    ready_node* head = head_.load(std::memory_order_relaxed);
    do {
        node.ready_next = head;
    } while (!head_.compare_exchange_weak(head, &node, std::memory_order_release,
                                          std::memory_order_relaxed));
    if (!head) wake_(argument_);
    posting_.fetch_sub(1, std::memory_order_release);
    return true;
}

void mailbox::collect(ready_queue& ready) noexcept {
    if (empty()) return;
    ready_node* newest = head_.exchange(nullptr, std::memory_order_acquire);
    ready_node* oldest = nullptr;
    while (newest) {
        ready_node* following = newest->ready_next;
        newest->ready_next = oldest;
        oldest = newest;
        newest = following;
    }
    while (oldest) {
        ready_node* following = oldest->ready_next;
        ready.push(*oldest);
        oldest = following;
    }
}

void mailbox::close() noexcept {
    closed_.store(true, std::memory_order_seq_cst);
    while (posting_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

}  // namespace upcall
