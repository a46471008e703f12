// What is known about hosts other than Linux: which interfaces belong to them.
#if !defined(__linux__)

#include <upcall/driver/host.hpp>
#include <upcall/driver/host_file.hpp>

#include <algorithm>
#include <thread>

namespace upcall {
namespace {

#if defined(_WIN32)
constexpr const char* system_name = "Windows";
constexpr bool belongs_here(kernel_interface what) noexcept {
    return what == kernel_interface::iocp || what == kernel_interface::select;
}
#else
constexpr const char* system_name = "POSIX";
constexpr bool belongs_here(kernel_interface what) noexcept {
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || \
    defined(__DragonFly__)
    if (what == kernel_interface::kqueue) return true;
#endif
    return what == kernel_interface::poll || what == kernel_interface::select;
}
#endif

availability describe(kernel_interface what) {
    const std::string name(name_of(what));
    if (belongs_here(what))
        return {what, true, 0, reason::works, name + " is part of this system.", {}};
    return {what, false, 0, reason::not_on_this_system, name + " belongs to another system.", {}};
}

}  // namespace

host probe_host() {
    host seen;
    seen.system.kernel = system_name;
    seen.system.processors = std::max(std::thread::hardware_concurrency(), 1U);
    seen.system.processors_usable = seen.system.processors;
    for (std::size_t i = 0; i < kernel_interface_count; ++i)
        seen.interfaces[i] = describe(static_cast<kernel_interface>(i));
    return seen;
}

result<file_system_facts> probe_file_system(const std::string&) {
    return failure(std::make_error_code(std::errc::function_not_supported));
}

}  // namespace upcall

#endif
