// Every order that matters: depth first, with dynamic partial-order reduction by source sets
// (Abdulla, Aronis, Jonsson and Sagonas, POPL 2014) and sleep sets (Godefroid, 1996).
//
// A program runs on threads of the system of which one at a time has the turn. Each stops before
// every step that others could see, so what all of them are about to do is known when the next one
// is chosen. When a step is done that depends on an earlier one, of another thread, that is not
// ordered before it in any other way, the choice made there is to be made the other way, too, in a
// later execution. Executions are repeated from the beginning along the choices kept in `path`.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include <upcall/base/recycler.hpp>

#include "model/checker/core.hpp"

namespace model {
namespace {

constexpr std::size_t steps_max = 5000;

/// One choice and what came of it.
struct choice {
    step did;
    unsigned thread = 0;
    unsigned possible = 0;  // threads, as bits
    unsigned wanted = 0;    // to be chosen here in some execution
    unsigned done = 0;      // were chosen in one before
    unsigned asleep = 0;    // would repeat another execution
    bool loads = false;
    stamp number = 0;
    clock after;
};

/// Of one set of threads; those that a deadlock has stuck keep theirs.
struct team {
    std::atomic<std::uint32_t> turn[threads_max];
    std::atomic<std::uint32_t> over{0};
};

struct state {
    team* crew = nullptr;
    settings how;
    program* (*make)() = nullptr;
    program* now = nullptr;

    // Of one execution:
    step pending[threads_max];
    bool ended[threads_max] = {};
    bool begun = false;
    bool draining = false;
    std::size_t depth = 0;
    unsigned asleep = 0;
    clock declared[threads_max];
    clock order[threads_max];
    stamp steps[threads_max] = {};

    std::vector<choice> path;
    outcome found;
    std::vector<std::string> trace;
    std::map<std::uintptr_t, site> sites;
};

state s;
thread_local int me = -1;
thread_local int hide = 0;

// ---- turns ----------------------------------------------------------------------------------

void hand_over(std::atomic<std::uint32_t>& to) noexcept {
    to.store(1, std::memory_order_release);
    syscall(SYS_futex, &to, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void await(std::atomic<std::uint32_t>& mine) noexcept {
    while (mine.exchange(0, std::memory_order_acquire) == 0)
        syscall(SYS_futex, &mine, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
}

// ---- dependence -----------------------------------------------------------------------------

bool only_loads(kind what) noexcept { return what == kind::load || what == kind::differ; }

bool overlap(const void* a, std::uint32_t a_bytes, const void* b, std::uint32_t b_bytes) noexcept {
    const auto first = reinterpret_cast<std::uintptr_t>(a);
    const auto second = reinterpret_cast<std::uintptr_t>(b);
    return first < second + b_bytes && second < first + a_bytes;
}

bool depend(const step& a, bool a_loads, const step& b, bool b_loads) noexcept {
    if (a_loads && b_loads) return false;
    if (overlap(a.object, a.bytes, b.object, b.bytes)) return true;
    return (a.mutex && a.mutex == b.object) || (b.mutex && b.mutex == a.object) ||
           (a.mutex && a.mutex == b.mutex);
}

/// Whether the two could ever be possible at one time.
bool compete(const step& earlier, const step& later) noexcept {
    if (later.what == kind::lock)
        return earlier.what != kind::unlock && earlier.what != kind::sleep;
    return earlier.what != kind::start && later.what != kind::start && later.what != kind::join;
}

/// The threads that could go first in another order of what follows `first` without depending on
/// it, and then the next step of `thread`, which knows `known` once it is done.
unsigned first_of_others(std::size_t first, unsigned thread, const clock& known) noexcept {
    const choice& from = s.path[first];
    unsigned met = 0;
    unsigned initials = 0;
    auto depends_on_one = [&](std::size_t until, const clock& what) {
        for (std::size_t j = first + 1; j < until; ++j) {
            const choice& other = s.path[j];
            if (other.after.knows(from.thread, from.number)) continue;
            if (what.knows(other.thread, other.number)) return true;
        }
        return false;
    };
    for (std::size_t k = first + 1; k < s.depth; ++k) {
        const choice& at = s.path[k];
        if (at.after.knows(from.thread, from.number) || (met >> at.thread & 1)) continue;
        met |= 1u << at.thread;
        if (!depends_on_one(k, at.after)) initials |= 1u << at.thread;
    }
    if (!(met >> thread & 1) && !depends_on_one(s.depth, known)) initials |= 1u << thread;
    return initials;
}

/// Has the choice made the other way, later, at each step that `thread`'s next one races with.
void look_back(unsigned thread, const step& next, bool loads) noexcept {
    clock known = s.order[thread];
    for (std::size_t i = 0; i < s.depth; ++i)
        if (depend(s.path[i].did, s.path[i].loads, next, loads)) known.join(s.path[i].after);
    clock through = s.order[thread];
    for (std::size_t i = s.depth; i-- > 0;) {
        choice& at = s.path[i];
        if (at.thread == thread || !depend(at.did, at.loads, next, loads)) continue;
        if (!compete(at.did, next)) continue;
        if (through.knows(at.thread, at.number)) continue;
        through.join(at.after);
        const unsigned first = first_of_others(i, thread, known);
        if (at.wanted & first) continue;
        const unsigned able = first & at.possible;
        const unsigned awake = able & ~at.asleep;
        if (able == 0)
            at.wanted |= at.possible;
        else
            at.wanted |= 1u << std::countr_zero(awake ? awake : able);
    }
}

// ---- choosing -------------------------------------------------------------------------------

bool can_go(unsigned thread) noexcept {
    if (s.ended[thread]) return false;
    const step& next = s.pending[thread];
    if (next.what == kind::start) return s.begun;
    if (next.what == kind::join) {
        for (unsigned i = 1; i < s.how.threads; ++i)
            if (!s.ended[i]) return false;
        return true;
    }
    return possible(next);
}

const char* word(kind what) noexcept {
    switch (what) {
        case kind::start:
            return "begins";
        case kind::load:
            return "loads";
        case kind::store:
            return "stores";
        case kind::change:
            return "changes";
        case kind::differ:
            return "spins";
        case kind::lock:
            return "locks";
        case kind::unlock:
            return "unlocks";
        case kind::sleep:
            return "sleeps";
        case kind::woken:
            return "is woken";
        case kind::late:
            return "is woken, or waits no longer";
        case kind::notify:
            return "notifies";
        case kind::raise:
            return "raises a signal";
        case kind::wait:
            return "waits for a signal";
        case kind::take:
            return "looks for a signal";
        case kind::join:
            return "joins the others";
    }
    return "?";
}

std::string told(unsigned thread, const step& next) {
    char line[64];
    std::snprintf(line, sizeof line, "%u %s ", thread, word(next.what));
    return line + (next.from ? place(next.from) : std::string());
}

[[noreturn]] void stuck() {
    const hidden not_seen;
    if (s.found.failure.empty()) {
        std::string what = "nothing can go on:";
        for (unsigned i = 0; i < s.how.threads; ++i)
            if (!s.ended[i]) what += "\n    thread " + told(i, s.pending[i]);
        what += "\n  after";
        for (std::size_t i = 0; i < s.depth; ++i)
            what += "\n    thread " + told(s.path[i].thread, s.path[i].did);
        s.found.failure = what;
    }
    team* const mine = s.crew;
    const auto own = static_cast<unsigned>(me);
    s.crew = nullptr;  // these threads stay as they are
    hand_over(mine->over);
    for (;;) await(mine->turn[own]);
}

/// The thread that goes next; `path[depth]` is its choice.
unsigned choose() {
    unsigned can = 0;
    for (unsigned i = 0; i < s.how.threads; ++i) can |= can_go(i) ? 1u << i : 0u;
    if (can == 0) {
        for (unsigned i = 0; i < s.how.threads; ++i)
            if (!s.ended[i]) look_back(i, s.pending[i], only_loads(s.pending[i].what));
        stuck();
    }
    const unsigned before = me >= 0 ? static_cast<unsigned>(me) : 0;
    if (s.draining) {  // round, so that nobody spins in vain
        for (unsigned i = 1;; ++i)
            if (can >> (before + i) % threads_max & 1) return (before + i) % threads_max;
    }
    if (s.depth < s.path.size()) {
        choice& known = s.path[s.depth];
        if (known.possible != can) fail("the program does not repeat itself", 0, nullptr);
        return known.thread;
    }
    const unsigned awake = can & ~s.asleep;
    if (awake == 0) {
        s.draining = true;
        ++s.found.repeated;
        return static_cast<unsigned>(std::countr_zero(can));
    }
    choice made;
    made.thread = awake >> before & 1 ? before : static_cast<unsigned>(std::countr_zero(awake));
    made.possible = can;
    made.wanted = 1u << made.thread;
    made.asleep = s.asleep;
    s.path.push_back(made);
    return made.thread;
}

/// Gives the turn to whoever is chosen; returns when it is the caller's again.
void pass_turn() {
    const unsigned next = choose();
    if (me >= 0 && next == static_cast<unsigned>(me)) return;
    team* const mine = s.crew;
    hand_over(mine->turn[next]);
    if (me >= 0) await(mine->turn[me]);
}

/// The step of the thread that has the turn is done now.
void record(unsigned thread) {
    const step& now = s.pending[thread];
    ++s.declared[thread].of[thread];
    effect(now);
    if (now.what == kind::join)
        for (unsigned i = 1; i < s.how.threads; ++i) s.declared[0].join(s.declared[i]);
    if (s.draining) return;
    choice& made = s.path[s.depth];
    made.did = now;
    made.loads = only_loads(now.what);
    look_back(thread, now, made.loads);
    made.number = ++s.steps[thread];
    clock known = s.order[thread];
    known.of[thread] = made.number;
    for (std::size_t i = 0; i < s.depth; ++i) {
        const choice& at = s.path[i];
        if (at.thread != thread && depend(at.did, at.loads, now, made.loads)) known.join(at.after);
    }
    if (now.what == kind::join)
        for (unsigned i = 1; i < s.how.threads; ++i) known.join(s.order[i]);
    made.after = s.order[thread] = known;
    const unsigned slept = (made.asleep | made.done) & ~(1u << thread);
    s.asleep = 0;
    for (unsigned i = 0; i < s.how.threads; ++i) {
        if (!(slept >> i & 1)) continue;
        const step& other = s.pending[i];
        if (!depend(other, only_loads(other.what), now, made.loads)) s.asleep |= 1u << i;
    }
    if (++s.depth > steps_max) {
        fail("an execution does not end", now.from, now.object);
        std::fprintf(stderr, "%s\n", s.found.failure.c_str());
        std::abort();
    }
}

// ---- threads --------------------------------------------------------------------------------

void run_first() {
    me = 0;
    s.now = s.make();
    s.begun = true;
    const clock made = give();
    for (unsigned i = 1; i < s.how.threads; ++i) {
        s.declared[i].join(made);
        s.order[i].join(s.order[0]);
    }
    s.now->thread(0);
    arrive({.what = kind::join, .object = nullptr, .bytes = 0});
    delete s.now;
    me = -1;
}

void run_other(unsigned which) {
    me = static_cast<int>(which);
    record(which);
    s.now->thread(which);
    const hidden not_seen;
    s.ended[which] = true;
    team* const mine = s.crew;
    const unsigned next = choose();
    me = -1;
    hand_over(mine->turn[next]);
}

void work(team* of, unsigned which) {
    upcall::recycler_bypass(true);  // a block that is used again would hide who still uses it
    for (;;) {
        await(of->turn[which]);
        if (which > 0) {
            run_other(which);
            continue;
        }
        run_first();
        hand_over(of->over);
    }
}

team* assemble() {
    auto* made = new team;
    for (unsigned i = 0; i < threads_max; ++i) std::thread(work, made, i).detach();
    return made;
}

void execute() {
    forget_memory();
    forget_objects();
    s.begun = s.draining = false;
    s.depth = 0;
    s.asleep = 0;
    for (unsigned i = 0; i < threads_max; ++i) {
        s.pending[i] = {.what = kind::start, .bytes = 0};
        s.ended[i] = false;
        s.declared[i] = s.order[i] = {};
        s.declared[i].of[i] = 1;
        s.steps[i] = 0;
    }
    if (!s.crew) s.crew = assemble();
    team* const mine = s.crew;
    hand_over(mine->turn[0]);
    await(mine->over);
}

/// The next path that has to be taken: false when there is none.
bool turn_back() {
    while (!s.path.empty()) {
        choice& last = s.path.back();
        last.done |= 1u << last.thread;
        const unsigned left = last.wanted & ~last.done & ~last.asleep;
        if (left != 0) {
            last.thread = static_cast<unsigned>(std::countr_zero(left));
            return true;
        }
        s.path.pop_back();
    }
    return false;
}

}  // namespace

unsigned thread_count() noexcept { return s.how.threads; }

int self() noexcept { return hide ? -1 : me; }

hidden::hidden() noexcept : before_(hide) { hide = 1; }
hidden::~hidden() { hide = before_; }

clock& knowledge(unsigned thread) noexcept { return s.declared[thread]; }

clock give() noexcept {
    const clock given = s.declared[me];
    ++s.declared[me].of[me];
    return given;
}

void arrive(const step& next) noexcept {
    const auto thread = static_cast<unsigned>(me);
    const hidden not_seen;
    s.pending[thread] = next;
    pass_turn();
    record(thread);
}

void was_load() noexcept {
    if (!s.draining) s.path[s.depth - 1].loads = true;
}

void fail(const char* what, std::uintptr_t from, const void* where) noexcept {
    const hidden not_seen;
    if (!s.found.failure.empty()) return;
    char line[96];
    std::snprintf(line, sizeof line, " (%p), thread %d", where, me);
    s.found.failure = std::string(what) + line + (from ? ", at " + place(from) : "") + "\n  after";
    for (std::size_t i = 0; i < s.depth; ++i)
        s.found.failure += "\n    thread " + told(s.path[i].thread, s.path[i].did);
}

int order_at(std::uintptr_t from, int order, bool fetches, bool stores) noexcept {
    const hidden not_seen;
    site& here = s.sites[from];
    here = {from, order, fetches, stores};
    return from == s.how.weakened ? __ATOMIC_RELAXED : order;
}

void check(bool holds, const char* what) noexcept {
    if (!holds) fail(what, 0, nullptr);
}

outcome explore(program* (*make)(), const settings& how) {
    s.how = how;
    s.make = make;
    s.found = {};
    s.path.clear();
    s.sites.clear();
    do {
        execute();
        if (!s.draining) ++s.found.executions;
        if (s.depth > s.found.steps_max) s.found.steps_max = s.depth;
        const std::size_t left = end_of_blocks();
        if (left > 0 && how.leaks && s.found.failure.empty())
            s.found.failure = std::to_string(left) + " blocks were not freed";
        if (s.found.executions + s.found.repeated > how.executions_max && s.found.failure.empty())
            s.found.failure = "more executions than were allowed";
    } while (s.found.failure.empty() && turn_back());
    for (const auto& [address, here] : s.sites) s.found.sites.push_back(here);
    return s.found;
}

}  // namespace model
