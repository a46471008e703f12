// Several operations as one: started together in a context of their own, over when all are over.
//
// The part that decides the group (which one that is, the policy says) has the others cancelled.
// They are awaited all the same: what they did is in their outcomes, and their buffers are free.
#pragma once

#include <cstddef>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <upcall/base/pinned_array.hpp>
#include <upcall/task/detail/task_operation.hpp>

namespace upcall::detail {

class group_operation : public operation_base {
  public:
    void lower_deadline(time_point deadline) noexcept {
        if (deadline < deadline_) deadline_ = deadline;
    }

    /// A part has ended, and is idle.
    void part_ended(std::size_t index, bool decides) noexcept {
        note(index, decides);
        if (left_ > 0) return;
        group_.detach();
        state = op_state::ready;
        run(*this);
    }

  protected:
    static constexpr std::size_t nobody = ~std::size_t{0};

    /// Starts all parts. True: all of them were done at once, and the group is idle again.
    template <class Parts>
    bool launch_parts(Parts& parts, context& where) noexcept {
        begin_unlinked(where);  // its context is what is linked
        cancel = [](operation& op) noexcept {
            auto& self = static_cast<group_operation&>(op);
            self.group_.cancel(self.cause);
        };
        group_.attach(where);
        group_.lower_deadline(deadline_);
        left_ = parts.size();
        parts.for_each([this](auto& part) {
            if (part.start(*this, group_)) note(part.index, part.decides());
        });
        if (left_ > 0) return false;
        group_.detach();
        retire();
        return true;
    }

    /// The part that decided, or `nobody`.
    std::size_t decided() const noexcept { return decided_; }

  private:
    void note(std::size_t index, bool decides) noexcept {
        --left_;
        if (!decides || decided_ != nobody) return;
        decided_ = index;
        group_.cancel(cancel_cause::cancelled);
    }

    context group_;
    time_point deadline_ = never;
    std::size_t left_ = 0;
    std::size_t decided_ = nobody;
};

/// What `take` yields, with a value in void's place.
template <class Op>
auto take_value(Op& op) {
    if constexpr (std::is_void_v<decltype(op.take())>) {
        op.take();
        return std::monostate{};
    } else {
        return op.take();
    }
}

/// An operation in a group. `Policy::decides(part)` tells, when it has ended, whether it decides.
template <class Op, class Policy>
struct part : Op {
    explicit part(typename Op::arguments&& given) : Op(std::move(given)) {}

    /// What nobody took, because another part threw, is destroyed as a value: a lock is unlocked,
    /// descriptors are closed. What a child threw stays, for its scope to learn of.
    ~part() {
        if (!untaken || has_failed(static_cast<Op&>(*this))) return;
        try {
            static_cast<void>(outcome());
        } catch (...) {
            return;  // there was no value after all
        }
    }

    bool start(group_operation& of, context& where) noexcept {
        group = &of;
        this->run = [](ready_node& node) noexcept {
            auto& self = static_cast<part&>(node);
            if (!self.settle()) return self.renew_cancel();
            self.retire();
            self.group->part_ended(self.index, self.decides());
        };
        return this->launch(where);
    }
    /// Asked once, when it has ended.
    bool decides() noexcept {
        untaken = true;
        return policy.decides(*this);
    }

    /// Its outcome, once.
    auto outcome() {
        untaken = false;
        return take_value(static_cast<Op&>(*this));
    }

    group_operation* group = nullptr;
    std::size_t index = 0;
    bool untaken = false;  // it has ended, and its outcome is still in it
    [[no_unique_address]] typename Policy::template of<Op> policy;
};

template <std::size_t Index, class Part>
struct slot {
    Part held;
};

template <class Indices, class Policy, class... Ops>
struct fixed_parts_base;

template <std::size_t... Index, class Policy, class... Ops>
struct fixed_parts_base<std::index_sequence<Index...>, Policy, Ops...>
    : slot<Index, part<Ops, Policy>>... {
    using arguments = std::tuple<typename Ops::arguments...>;

    explicit fixed_parts_base(arguments&& given)
        : slot<Index, part<Ops, Policy>>{part<Ops, Policy>(std::move(std::get<Index>(given)))}... {
        ((get<Index>().index = Index), ...);
    }

    template <std::size_t At>
    auto& get() noexcept {
        using op = std::tuple_element_t<At, std::tuple<Ops...>>;
        return static_cast<slot<At, part<op, Policy>>&>(*this).held;
    }

    static constexpr std::size_t size() noexcept { return sizeof...(Ops); }

    template <class Visit>
    void for_each([[maybe_unused]] Visit visit) {
        (visit(get<Index>()), ...);
    }

    /// A tuple of what `make` makes of each part, in order.
    template <class Make>
    auto collect([[maybe_unused]] Make make) {
        return std::tuple<decltype(make(get<Index>()))...>{make(get<Index>())...};
    }
};

template <class Policy, class... Ops>
using fixed_parts = fixed_parts_base<std::index_sequence_for<Ops...>, Policy, Ops...>;

/// Any number of parts: tasks of one type.
template <class T, class Policy>
class many_parts {
  public:
    using item = part<task_operation<T>, Policy>;

    /// Throws std::bad_alloc.
    explicit many_parts(std::vector<task<T>>&& given) : items_(given.size()) {
        for (task<T>& one : given) {
            item& made = items_.emplace_back(typename item::arguments{std::move(one), {}});
            made.index = items_.size() - 1;
        }
    }

    std::size_t size() const noexcept { return items_.size(); }
    item& operator[](std::size_t index) noexcept { return items_[index]; }
    template <class Visit>
    void for_each(Visit visit) {
        for (item& one : items_) visit(one);
    }

  private:
    pinned_array<item> items_;
};

}  // namespace upcall::detail
