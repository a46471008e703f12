#include <upcall/runtime/program.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace upcall {
namespace {

constexpr std::size_t names_told = 8;
constexpr int contexts_looked_at = 10'000;

/// Different names of tasks, each with how many have it.
struct tally {
    struct entry {
        const char* name;
        unsigned count;
    };
    std::array<entry, names_told> names{};
    std::size_t used = 0;
    bool more = false;

    void add(const char* name) noexcept {
        for (entry& one : std::span(names).first(used))
            if (std::strcmp(one.name, name) == 0) return static_cast<void>(++one.count);
        if (used < names.size())
            names[used++] = {name, 1};
        else
            more = true;
    }
};

/// Whether a task runs below `at`: then `at` waits for it, and it is the one to name.
bool has_task_below(context& at, int& looks) noexcept {
    for (context* below = at.next_below(at, true); below; below = below->next_below(at, true))
        if (below->is_task() || --looks < 0) return true;
    return false;
}

}  // namespace

void tell_who_is_left(context& top) noexcept {
    tally found;
    int looks = contexts_looked_at;
    context* at = top.next_below(top, true);
    for (; at && --looks > 0; at = at->next_below(top, true))
        if (at->is_task() && !has_task_below(*at, looks)) found.add(at->name());
    if (found.used == 0) return;
    if (at) found.more = true;
    char text[512];
    std::size_t size = 0;
    for (const tally::entry& one : std::span(found.names).first(found.used)) {
        const auto room = sizeof text - size;
        const int put = std::snprintf(text + size, room, "%s\"%.40s\" (%u)", size ? ", " : "",
                                      one.name, one.count);
        size = std::min(size + static_cast<std::size_t>(std::max(put, 0)), sizeof text - 1);
    }
    std::fprintf(stderr, "upcall: the grace period is over; cancelled: %s%s\n", text,
                 found.more ? " and others" : "");
}

program_control::program_control(const std::shared_ptr<mailbox>& box) noexcept : box_(box) {
    stop_.act = [](scope& tasks) noexcept { tasks.stop(); };
    cancel_.act = [](scope& tasks) noexcept { tasks.cancel(); };
    end_grace_.act = [](scope& tasks) noexcept {
        tell_who_is_left(tasks.where());
        tasks.cancel();
    };
}

void program_control::post(const std::shared_ptr<program_control>& of, wish& what) noexcept {
    if (what.posted.exchange(true, std::memory_order_relaxed)) return;
    what.of = of;
    what.run = [](ready_node& node) noexcept {
        auto& self = static_cast<wish&>(node);
        const auto control = std::move(self.of);
        if (control->tasks_) self.act(*control->tasks_);
    };
    const auto box = of->box_.lock();
    if (!box || !box->post(what)) what.of.reset();
}

void program_control::stop(const std::shared_ptr<program_control>& of) noexcept {
    post(of, of->stop_);
}

void program_control::cancel(const std::shared_ptr<program_control>& of) noexcept {
    post(of, of->cancel_);
}

void program_control::end_grace(const std::shared_ptr<program_control>& of) noexcept {
    post(of, of->end_grace_);
}

void tell_deadlock(const deadlock& found) {
    std::fprintf(stderr, "upcall: %s\n", found.to_string().c_str());
}

void program::on_deadlock(std::function<void(const deadlock&)> told, duration after) {
    deadlocked_ = std::move(told);
    if (!deadlocked_) return home_.on_quiet({}, nullptr, nullptr);
    home_.on_quiet(
        after,
        [](void* argument) noexcept {
            auto& self = *static_cast<program*>(argument);
            try {
                if (const deadlock found = find_deadlock(self.home_)) self.deadlocked_(found);
            } catch (...) {
                // Without memory for a report there is none.
                return;
            }
        },
        this);
}

program::~program() {
    home_.on_quiet({}, nullptr, nullptr);
    tasks_.cancel();
    home_.run_until([this] { return tasks_.size() == 0; });
    services_.cancel();
    home_.run_until([this] { return services_.size() == 0; });
    control_->tasks_ = nullptr;
}

std::exception_ptr program::run() {
    home_.run_until([this] { return tasks_.size() == 0; });
    return tasks_.exception();
}

std::exception_ptr program::run(duration close_grace) {
    const auto ended = [this] { return tasks_.size() == 0; };
    home_.run_until([&] { return ended() || tasks_.where().cancelled() != cancel_cause::none; });
    home_.end_by(ended, saturating_add(home_.read_clock(), close_grace));
    return tasks_.exception();
}

// What is left of a program lies in the frames of its tasks, which refer to their scope: it stays,
// too.
close_report program::close(std::unique_ptr<program> running, std::unique_ptr<loop> home,
                            duration close_grace) {
    const time_point limit = saturating_add(home->read_clock(), close_grace);
    program& self = *running.release();
    home->on_quiet({}, nullptr, nullptr);
    self.tasks_.cancel();
    bool ended = home->end_by([&] { return self.tasks_.size() == 0; }, limit);
    self.services_.cancel();
    if (ended) ended = home->end_by([&] { return self.services_.size() == 0; }, limit);
    self.control_->tasks_ = nullptr;
    if (ended) delete &self;
    const auto ended_since = [&self, ended] {
        if (!ended && self.tasks_.size() + self.services_.size() == 0) delete &self;
    };
    const duration rest = limit - home->read_clock();
    return loop::close(std::move(home), std::max(rest, duration::zero()), ended_since);
}

}  // namespace upcall
