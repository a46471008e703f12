#include <upcall/loop/close_report.hpp>

#include <algorithm>

namespace upcall {
namespace {

/// The line names so many tasks.
constexpr std::size_t names_told = 8;

const context& task_of(const context& at) noexcept {
    const context* task = &at;
    while (!task->is_task() && task->parent()) task = task->parent();
    return *task;
}

void note_below(context& top, close_report& seen) {
    for (context* at = &top; at; at = at->next_below(top, true)) {
        if (at->is_task()) ++seen.tasks;
        at->operations().for_each([&](operation& op) {
            if (op.state != op_state::in_flight) return;
            if (seen.operations.size() == close_report::listed_max) {
                ++seen.more;
                return;
            }
            const context& task = task_of(*at);
            seen.operations.push_back({task.name(), task.spawned_at(), op.awaits});
        });
    }
}

std::string counted(std::size_t count, const char* one, const char* many) {
    return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

}  // namespace

std::string close_report::to_string() const {
    if (!leaked) return {};
    struct tally {
        const unfinished* first;
        std::size_t count;
    };
    std::vector<tally> names;
    std::size_t unnamed = more;
    for (const unfinished& one : operations) {
        if (one.awaits != waits_for::outside) continue;
        const auto known = std::find_if(names.begin(), names.end(), [&](const tally& other) {
            return other.first->task == one.task;
        });
        if (known != names.end())
            ++known->count;
        else if (names.size() < names_told)
            names.push_back({&one, 1});
        else
            ++unnamed;
    }
    std::string text = "the loop is leaked, with " + counted(tasks, "task", "tasks") + " and " +
                       counted(handles, "handle", "handles");
    if (names.empty() && unnamed == 0) return text;
    text += "; still under way: operations of ";
    for (const tally& one : names) {
        if (&one != names.data()) text += ", ";
        text += '"' + one.first->task + "\" (" + std::to_string(one.count) + ')';
    }
    if (unnamed > 0) text += " and others (" + std::to_string(unnamed) + ')';
    return text;
}

// The report is made before anything is given up, so that a failure to allocate it changes nothing
// but what is told. Nobody runs the loop afterwards: what is ready stays so, and who posts to it is
// refused.
close_report loop::close(std::unique_ptr<loop> home, duration grace,
                         const std::function<void()>& ended) {
    loop& self = *home.release();
    close_report seen;
    if (self.wind_down(saturating_add(self.read_clock(), grace))) {
        if (ended) ended();
        const bool scopes_left =
            !self.root_.children().empty() || !self.background_.children().empty();
        if (!scopes_left && self.driver_->open_handles() == 0) {
            delete &self;
            return seen;
        }
    }
    seen.leaked = true;
    leak(self);
    try {
        seen.handles = self.driver_->open_handles();
        note_below(self.root_, seen);
        note_below(self.background_, seen);
    } catch (const std::bad_alloc&) {
        ++seen.more;
    }
    return seen;
}

}  // namespace upcall
