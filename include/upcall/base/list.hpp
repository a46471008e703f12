// Intrusive lists: the objects carry their own links, so linking never allocates and cannot fail.
#pragma once

#include <cstddef>

namespace upcall {

/// The links of an object in a `list` with the same tag. An object may not be destroyed or moved
/// while linked.
template <class Tag>
struct list_hook {
    list_hook* previous = nullptr;
    list_hook* next = nullptr;

    list_hook() = default;
    list_hook(const list_hook&) = delete;
    list_hook& operator=(const list_hook&) = delete;

    /// Whether it is in a list.
    bool linked() const noexcept { return next != nullptr; }

    /// Takes the object out of whatever list it is in.
    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        previous = next = nullptr;
    }
};

/// A circular doubly linked list of objects that derive from list_hook<Tag>. Owns nothing.
template <class T, class Tag>
class list {
  public:
    using hook = list_hook<Tag>;

    list() noexcept { head_.previous = head_.next = &head_; }
    list(const list&) = delete;
    list& operator=(const list&) = delete;

    bool empty() const noexcept { return head_.next == &head_; }
    /// The first; the list is not empty.
    T& front() noexcept { return item(*head_.next); }

    /// Links an object that is in no list of this tag. It stays its owner's.
    void push_back(T& object) noexcept { insert(*head_.previous, object, head_); }
    void push_front(T& object) noexcept { insert(head_, object, *head_.next); }

    /// Takes out the first object, or returns null.
    T* pop_front() noexcept {
        if (empty()) return nullptr;
        T& first = front();
        hook_of(first).unlink();
        return &first;
    }

    /// The object behind `object`, or null.
    T* after(T& object) noexcept {
        hook* following = hook_of(object).next;
        return following == &head_ ? nullptr : &item(*following);
    }

    /// Moves all of `other` to the end of this list.
    void splice_back(list& other) noexcept {
        if (other.empty()) return;
        hook& first = *other.head_.next;
        hook& last = *other.head_.previous;
        first.previous = head_.previous;
        head_.previous->next = &first;
        last.next = &head_;
        head_.previous = &last;
        other.head_.previous = other.head_.next = &other.head_;
    }

    /// Calls `visit` for every object; `visit` may unlink the object it is given.
    template <class Visit>
    void for_each(Visit&& visit) {
        for (hook* at = head_.next; at != &head_;) {
            hook* following = at->next;
            visit(item(*at));
            at = following;
        }
    }

  private:
    static hook& hook_of(T& object) noexcept { return static_cast<hook&>(object); }
    static T& item(hook& link) noexcept { return static_cast<T&>(link); }

    static void insert(hook& before, T& object, hook& after) noexcept {
        hook& link = hook_of(object);
        link.previous = &before;
        link.next = &after;
        before.next = &link;
        after.previous = &link;
    }

    hook head_;
};

/// A singly linked first-in first-out queue over a member `T* T::*Next`. Owns nothing; an object is
/// in one queue of that member at a time, and stays where it is meanwhile.
template <class T, T* T::* Next>
class queue {
  public:
    queue() = default;
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    bool empty() const noexcept { return first_ == nullptr; }
    /// The first, or null.
    T* front() const noexcept { return first_; }

    /// Links an object behind the others.
    void push(T& object) noexcept {
        object.*Next = nullptr;
        if (last_)
            last_->*Next = &object;
        else
            first_ = &object;
        last_ = &object;
    }

    /// The same before the others.
    void push_front(T& object) noexcept {
        object.*Next = first_;
        first_ = &object;
        if (!last_) last_ = &object;
    }

    /// Takes out the first object, or returns null.
    T* pop() noexcept {
        T* object = first_;
        if (!object) return nullptr;
        first_ = object->*Next;
        if (!first_) last_ = nullptr;
        object->*Next = nullptr;
        return object;
    }

    /// Takes out one object, wherever it stands. Returns whether it was there. Linear.
    bool remove(T& object) noexcept {
        T* before = nullptr;
        for (T* at = first_; at; before = at, at = at->*Next) {
            if (at != &object) continue;
            (before ? before->*Next : first_) = at->*Next;
            if (last_ == at) last_ = before;
            at->*Next = nullptr;
            return true;
        }
        return false;
    }

  private:
    T* first_ = nullptr;
    T* last_ = nullptr;
};

}  // namespace upcall
