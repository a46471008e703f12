#include <upcall/runtime/deadlock.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <span>

#include <upcall/sync/mutex.hpp>
#include <upcall/task/child_task.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/scope.hpp>

namespace upcall {
namespace {

/// Of its box, the loop itself; a program on it does not hold it.
constexpr long usual_holders = 1;

/// A circle is looked for among so many: that takes the square of their number.
constexpr std::size_t circle_max = 512;

bool is_outside(waits_for what) noexcept {
    return what == waits_for::outside || what == waits_for::signal;
}

const char* words_for(waits_for what) noexcept {
    switch (what) {
        case waits_for::outside:
            return "something outside";
        case waits_for::signal:
            return "a signal";
        case waits_for::mutex:
            return "a mutex";
        case waits_for::semaphore:
            return "a semaphore";
        case waits_for::event:
            return "an event";
        case waits_for::channel:
            return "a channel";
        case waits_for::room:
            return "room in a scope";
        case waits_for::child:
            return "a task";
        case waits_for::scope:
            return "the tasks of a scope";
        case waits_for::future:
            return "a future";
    }
    return "?";
}

const context& task_of(const context& at) noexcept {
    const context* task = &at;
    while (!task->is_task() && task->parent()) task = task->parent();
    return *task;
}

bool is_below(const context& at, const context& top) noexcept {
    for (const context* up = &at; up; up = up->parent())
        if (up == &top) return true;
    return false;
}

const detail::future_core* future_of(const operation& op) noexcept {
    if (op.awaits != waits_for::future) return nullptr;
    return &static_cast<const detail::future_wait&>(op).awaited();
}

/// What an operation is made of lies in its block, or in a context there, or below that one; which
/// is looked for up to `end`.
bool is_part_of(const operation& op, std::span<const std::byte> block,
                const context* end = nullptr) noexcept {
    const auto inside = [block](const void* at) noexcept {
        const std::less_equal<const void*> not_after;
        return not_after(block.data(), at) && !not_after(block.data() + block.size(), at);
    };
    if (inside(&op)) return true;
    for (const context* up = op.owner; up != end; up = up->parent())
        if (inside(up)) return true;
    return false;
}

/// What the end of the wait depends on, or null: a context that may be gone for a mutex, so that it
/// is only compared.
const context* awaited_by(const operation& op) noexcept {
    switch (op.awaits) {
        case waits_for::mutex:
            return static_cast<const detail::mutex_lock&>(op).holder();
        case waits_for::child:
            return &static_cast<const detail::join_child_base&>(op).awaited();
        case waits_for::scope:
            return &static_cast<const detail::join_operation&>(op).awaited();
        default:
            return nullptr;
    }
}

class search {
  public:
    /// Collects the waits of `home`; false if one of them may end by itself.
    bool collect(loop& home) {
        return collect_below(home.root(), false) && collect_below(home.background(), true) &&
               !waits_.empty();
    }

    deadlock tell() {
        deadlock found;
        for (const operation* op : waits_) {
            if (found.tasks.size() == deadlock::listed_max) {
                ++found.more;
                continue;
            }
            const place at = who_waits(*op);
            found.tasks.push_back({at.name, at.spawned_at, op->awaits, holder(*op)});
        }
        if (waits_.size() <= circle_max) find_circle();
        for (const std::size_t at : path_) found.cycle.emplace_back(who_waits(*waits_[at]).name);
        return found;
    }

  private:
    void find_circle() {
        states_.assign(waits_.size(), state::unseen);
        for (std::size_t start = 0; start < waits_.size() && path_.empty(); ++start)
            if (states_[start] == state::unseen) follow(start);
    }

    enum class state : std::uint8_t { unseen, on_path, seen };

    bool collect_below(context& top, bool in_background) {
        for (context* at = &top; at; at = at->next_below(top, true)) {
            contexts_.push_back(at);
            bool ends_by_itself = false;
            at->operations().for_each([&](operation& op) {
                const bool aside =
                    in_background && (!task_of(*at).is_task() || op.awaits == waits_for::signal);
                if (aside) return;
                if (op.state != op_state::in_flight || is_outside(op.awaits))
                    ends_by_itself = true;
                else if (!in_background)
                    waits_.push_back(&op);
            });
            if (ends_by_itself) return false;
        }
        return true;
    }

    struct place {
        const char* name;
        std::source_location spawned_at;
    };
    /// The task, or what was submitted and is awaited by its future.
    place who_waits(const operation& op) const noexcept {
        const context& task = task_of(*op.owner);
        for (const operation* other : waits_) {
            const detail::future_core* of = future_of(*other);
            if (of && is_part_of(op, of->place(), &task)) return {of->name(), of->begun_at()};
        }
        return {task.name(), task.spawned_at()};
    }

    /// The name of who has what is waited for, or none.
    std::string holder(const operation& op) const {
        if (op.awaits == waits_for::scope) return {};
        if (const detail::future_core* on = future_of(op)) return on->name();
        const context* at = alive(awaited_by(op));
        return at ? task_of(*at).name() : "";
    }

    const context* alive(const context* at) const noexcept {
        const bool known =
            at && std::find(contexts_.begin(), contexts_.end(), at) != contexts_.end();
        return known ? at : nullptr;
    }

    /// Whether `next` has to end before `op` can.
    static bool depends(const operation& op, const operation& next) noexcept {
        if (const detail::future_core* on = future_of(op)) return is_part_of(next, on->place());
        const context* on = awaited_by(op);
        if (!on) return false;
        return is_below(*next.owner, *on) && (op.awaits == waits_for::mutex || &op != &next);
    }

    /// Depth first; a wait that is on the path already closes a circle, which ends the search.
    void follow(std::size_t from) {
        struct step {
            std::size_t at;
            std::size_t next;
        };
        std::vector<step> stack{{from, 0}};
        states_[from] = state::on_path;
        while (!stack.empty()) {
            step& top = stack.back();
            if (top.next == waits_.size()) {
                states_[top.at] = state::seen;
                stack.pop_back();
                continue;
            }
            const std::size_t next = top.next++;
            if (states_[next] == state::seen || !depends(*waits_[top.at], *waits_[next])) continue;
            if (states_[next] == state::unseen) {
                states_[next] = state::on_path;
                stack.push_back({next, 0});
                continue;
            }
            bool inside = false;
            for (const step& one : stack) {
                inside = inside || one.at == next;
                if (inside) path_.push_back(one.at);
            }
            return;
        }
    }

    std::vector<const context*> contexts_;
    std::vector<const operation*> waits_;
    std::vector<state> states_;
    std::vector<std::size_t> path_;
};

std::string quoted(const std::string& name) { return '"' + name + '"'; }

}  // namespace

std::string deadlock::to_string() const {
    if (tasks.empty()) return {};
    std::string text =
        "deadlock: tasks wait for one another, and only a call posted from outside could end that";
    for (const deadlocked_task& one : tasks) {
        text += "\n  task " + quoted(one.name);
        if (one.spawned_at.line() > 0)
            text += std::string(" (") + one.spawned_at.file_name() + ':' +
                    std::to_string(one.spawned_at.line()) + ')';
        text += " waits for ";
        text += words_for(one.awaits);
        if (one.held_by.empty()) continue;
        text += one.awaits == waits_for::mutex ? " held by " : " of ";
        text += quoted(one.held_by);
    }
    if (more > 0) text += "\n  and " + std::to_string(more) + " more";
    if (!cycle.empty()) text += "\n  in a circle: " + circle();
    return text;
}

std::string deadlock::circle() const {
    std::string text;
    for (const std::string& name : cycle) text += quoted(name) + " -> ";
    return cycle.empty() ? text : text + quoted(cycle.front());
}

deadlock find_deadlock(loop& home) {
    if (!home.ready().empty() || !home.timers().empty()) return {};
    const mailbox& box = *home.remote();
    if (home.remote().use_count() > usual_holders) return {};
    // Whoever has let go of the box may have posted before.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!box.empty()) return {};
    search through;
    if (!through.collect(home)) return {};
    return through.tell();
}

}  // namespace upcall
