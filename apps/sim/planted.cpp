#include "sim/planted.hpp"

#include <cstring>
#include <iterator>

namespace upcall_sim {

std::string_view name_of(bug which) noexcept {
    constexpr std::string_view names[] = {
        "none",
        "log acknowledges before the sync",
        "log never syncs",
        "log forgets to sync the directory",
        "log believes a repeated sync",
        "log renames before the sync",
        "log is emptied before the snapshot",
        "log trusts every record",
        "log appends behind a torn record",
        "log drops its last record",
        "log takes a short write for whole",
        "log appends without a lock",
        "log acknowledges from memory",
        "log trusts the cache",
        "echo takes a short write for whole",
        "echo takes a short read for whole",
        "echo shares a buffer",
        "echo answers side by side",
        "client waits for ever",
        "client keeps bytes of before",
        "counter is read, then written",
        "value is dropped when late",
        "lock is given back too early",
        "permit is kept when late",
        "wake-up is missed",
        "locks in any order",
        "channel is closed before the last",
        "cancelled is taken for done",
        "only the first is joined",
        "short read is forgotten",
        "connection is leaked",
    };
    static_assert(std::size(names) == static_cast<std::size_t>(bug_last) + 1);
    return names[static_cast<std::size_t>(which)];
}

std::span<const char* const> runtime_bugs() noexcept {
    static constexpr const char* names[] = {
        "timers fire early",
        "of timers that are due together one comes late",
        "mailbox hands over one post at a time",
        "a channel between loops tells nobody",
        "a full channel drops a value",
        "children do not inherit a cancellation",
        "children do not inherit a deadline",
        "a shield gives no time",
        "a scope with a limit admits nobody",
        "a scope forgets an exception",
        "a scope that failed does not cancel the others",
        "a read that was cancelled drops its bytes",
        "a chunk that nobody waits for is dropped",
        "the end overtakes what was received",
        "a whole write ends with its first part",
        "a full queue swallows what it refuses",
        "a connection is refused when nobody waits for it",
        "nobody is told when buffers are there again",
        "a commit counts before its sync",
        "a sync covers writes in flight",
        "a writer goes on after a failed sync",
        "a replacement leaves out the file",
        "a replacement leaves out the directory",
    };
    return names;
}

std::span<const char* const> server_bugs() noexcept {
    static constexpr const char* names[] = {
        "a stop answers only what is at hand",
        "requests behind a response are forgotten",
        "a response that takes long begins again",
        "a replaced file is sent under the old head",
    };
    return names;
}

#ifdef UPCALL_PLANTED_BUGS
namespace {
thread_local bug planted = bug::none;
thread_local const char* planted_below = nullptr;
}  // namespace

void plant(bug which) noexcept {
    planted = which;
    planted_below = nullptr;
}
void plant_below(const char* name) noexcept {
    planted = bug::none;
    planted_below = name;
}
bool has(bug which) noexcept { return planted == which; }
#endif

}  // namespace upcall_sim

#ifdef UPCALL_PLANTED_BUGS
namespace upcall {

// Declared by src/base/planted.hpp and apps/serve/planted.hpp, which ask.
bool has_planted(const char* bug) noexcept;
bool has_planted(const char* bug) noexcept {
    const char* const planted = upcall_sim::planted_below;
    return planted && std::strcmp(planted, bug) == 0;
}

}  // namespace upcall
#endif
