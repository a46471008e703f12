#include "sim/planted.hpp"

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

#ifdef UPCALL_PLANTED_BUGS
namespace {
thread_local bug planted = bug::none;
}

void plant(bug which) noexcept { planted = which; }
bool has(bug which) noexcept { return planted == which; }
#endif

}  // namespace upcall_sim
