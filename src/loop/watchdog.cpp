#include <upcall/loop/watchdog.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace upcall {
namespace {

/// So many looks without a handler, and the loop counts as idle.
constexpr int idle_looks = 64;

constexpr std::size_t chain_max = 8;

/// What the signal handler copies of the contexts, on their own thread.
struct noted_task {
    struct one {
        std::array<char, 48> name{};
        const char* file = "";
        std::uint32_t line = 0;
    };
    const ready_queue* of = nullptr;
    std::array<one, chain_max> chain;
    std::size_t length = 0;

    static void note(void* argument) noexcept {
        auto& self = *static_cast<noted_task*>(argument);
        for (const context* at = self.of->running(); at; at = at->parent()) {
            if (!at->is_task()) continue;
            if (self.length == self.chain.size()) return;
            one& next = self.chain[self.length++];
            std::strncpy(next.name.data(), at->name(), next.name.size() - 1);
            next.file = at->spawned_at().file_name();
            next.line = at->spawned_at().line();
        }
    }
};

std::string milliseconds(duration time) {
    char text[48];
    std::snprintf(text, sizeof text, "%.1f ms",
                  std::chrono::duration<double, std::milli>(time).count());
    return text;
}

void tell_on_standard_error(const stall& seen) {
    std::fprintf(stderr, "upcall: %s", seen.to_string().c_str());
}

watchdog_options with_defaults(watchdog_options given) {
    if (!given.told) given.told = tell_on_standard_error;
    return given;
}

}  // namespace

std::string stall::to_string() const {
    std::string text = "stall: ";
    text += task.empty() ? "a handler" : "task \"" + task + '"';
    if (!spawned_in.empty()) text += " (" + spawned_in + ':' + std::to_string(spawned_at) + ')';
    text += " has run for " + milliseconds(running) + " without letting others run\n";
    if (!awaited_by.empty()) {
        text += "  awaited by";
        const char* before = " ";
        for (const std::string& name : awaited_by) {
            text += before + ('"' + name + '"');
            before = ", ";
        }
        text += '\n';
    }
    text += stack.to_string();
    if (not_told > 0)
        text += "  and " + std::to_string(not_told) + " stalls since the last report\n";
    return text;
}

watchdog::watchdog(loop& home, watchdog_options options)
    : home_(home),
      options_(with_defaults(std::move(options))),
      thread_(thread_identity::of_caller()) {
    auto started =
        os_thread::start([](void* self) noexcept { static_cast<watchdog*>(self)->watch(); }, this,
                         {.name = "upcall-watch"});
    if (!started) throw std::system_error(started.error(), "upcall: no thread for a watchdog");
    watcher_.take(std::move(*started));
    activity_.awaken = [](loop_activity& of) noexcept {
        auto& self = static_cast<activity&>(of);
        const std::lock_guard held(self.owner->mutex_);
        self.asleep.store(false, std::memory_order_relaxed);
        self.owner->changed_.notify_one();
    };
    activity_.owner = this;
    home_.report_to(&activity_);
}

watchdog::~watchdog() {
    home_.report_to(nullptr);
    {
        const std::lock_guard held(mutex_);
        ended_ = true;
        changed_.notify_one();
    }
    watcher_.join();
}

void watchdog::watch() noexcept {
    const duration pause =
        std::max<duration>(options_.threshold / 2, std::chrono::microseconds(100));
    int quiet = 0;
    std::unique_lock lock(mutex_);
    while (!ended_) {
        if (quiet < idle_looks) {
            changed_.wait_for(lock, pause, [this] { return ended_; });
        } else {
            // In one order with the store of a turn that begins: one of the two sees the other.
            activity_.asleep.store(true, std::memory_order_seq_cst);
            if (activity_.handler.load(std::memory_order_seq_cst) == 0)
                changed_.wait(lock, [this] {
                    return ended_ || !activity_.asleep.load(std::memory_order_relaxed);
                });
            activity_.asleep.store(false, std::memory_order_relaxed);
            quiet = 0;
        }
        lock.unlock();
        quiet = look() ? 0 : quiet + 1;
        lock.lock();
    }
}

/// Whether a handler ran since the last look.
bool watchdog::look() noexcept {
    const std::uint64_t handler = activity_.handler.load(std::memory_order_relaxed);
    const time_point moment = clock::now();
    if (handler != seen_) {
        seen_ = handler;
        seen_since_ = moment;
        counted_ = false;
        return true;
    }
    if (handler == 0) return false;
    const duration running = moment - seen_since_;
    if (counted_ || running < options_.threshold) return true;
    counted_ = true;
    stalls_.fetch_add(1, std::memory_order_relaxed);
    if (told_once_ && moment - told_at_ < options_.least_gap) {
        ++not_told_;
        return true;
    }
    told_once_ = true;
    told_at_ = moment;
    tell(running);
    return true;
}

void watchdog::tell(duration running) noexcept {
    try {
        stall seen;
        seen.running = running;
        seen.not_told = std::exchange(not_told_, 0);
        noted_task noted;
        noted.of = &home_.ready();
        const bool taken = seen.stack.take(thread_, noted_task::note, &noted);
        if (taken && noted.length > 0) {
            seen.task = noted.chain[0].name.data();
            seen.spawned_in = noted.chain[0].file;
            seen.spawned_at = noted.chain[0].line;
            for (std::size_t at = 1; at < noted.length; ++at)
                seen.awaited_by.emplace_back(noted.chain[at].name.data());
        }
        options_.told(seen);
    } catch (const std::bad_alloc&) {
        // Without memory for a report there is none; it was counted.
        return;
    }
}

expect_no_stall::expect_no_stall(loop& home, duration threshold)
    : watch_(home, {.threshold = threshold, .told = [this](const stall& seen) {
                        const std::lock_guard held(mutex_);
                        if (first_.empty()) first_ = seen.to_string();
                    }}) {}

std::string expect_no_stall::what() const {
    const std::lock_guard held(mutex_);
    return first_;
}

}  // namespace upcall
