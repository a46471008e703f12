#include <upcall/driver/host.hpp>

#if defined(__linux__)

#include "driver/host/linux/guarded.hpp"
#include "driver/host/linux/interpret.hpp"
#include "driver/host/linux/read_limits.hpp"
#include "driver/host/linux/read_system.hpp"

namespace upcall {

host probe_host() {
    const host_probe::system_files files{};
    host seen;
    seen.system = host_probe::read_system(files);
    seen.limits = host_probe::read_limits(files);
    seen.system.processors_usable = host_probe::usable_processors(seen.system, seen.limits);

    const bool may_be_killed = seen.system.seccomp != host_system::seccomp_mode::off;
    const host_probe::raw_report tried = host_probe::try_everything(may_be_killed);
    seen.ring = tried.ring;
    for (std::size_t i = 0; i < kernel_interface_count; ++i) {
        const auto what = static_cast<kernel_interface>(i);
        seen.interfaces[i] =
            what == kernel_interface::uring
                ? host_probe::interpret_ring(tried.ring, seen.system, seen.limits)
                : host_probe::interpret_call(what, tried[what], seen.system, seen.limits);
    }
    return seen;
}

}  // namespace upcall

#endif
