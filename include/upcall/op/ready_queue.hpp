// What is ready to run on a loop, and the queue it waits in.
#pragma once

#include <atomic>
#include <cstddef>

#include <upcall/base/list.hpp>

namespace upcall {

class context;

/// Something a loop can run: a completed operation, a task to start, a posted call.
/// Lives in its owner's memory and may be in one queue at a time.
struct ready_node {
    ready_node* ready_next = nullptr;
    /// Called once by the loop, after the node left the queue. May destroy the node.
    void (*run)(ready_node&) noexcept = nullptr;
};

/// First in, first out. Used by the loop's thread alone.
class ready_queue {
  public:
    void push(ready_node& node) noexcept {
        nodes_.push(node);
        ++size_;
    }

    ready_node* pop() noexcept {
        ready_node* node = nodes_.pop();
        if (node) --size_;
        return node;
    }

    /// Takes out the `index`-th node from the front; `index` is below size(). Linear: this is for
    /// choosers that reorder on purpose.
    ready_node* pop_at(std::size_t index) noexcept {
        ready_node* node = nodes_.front();
        while (index-- > 0) node = node->ready_next;
        nodes_.remove(*node);
        --size_;
        return node;
    }

    bool empty() const noexcept { return nodes_.empty(); }
    std::size_t size() const noexcept { return size_; }

    /// In which context the task runs that was taken out last; null: none runs. For reports, which
    /// may interrupt the thread.
    context* running() const noexcept { return running_.load(std::memory_order_relaxed); }
    void set_running(context* now) noexcept { running_.store(now, std::memory_order_relaxed); }

  private:
    queue<ready_node, &ready_node::ready_next> nodes_;
    std::size_t size_ = 0;
    std::atomic<context*> running_{nullptr};
};

}  // namespace upcall
