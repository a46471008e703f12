// Names of interfaces, reasons and trials.
#include <upcall/driver/host.hpp>

namespace upcall {

std::string_view name_of(kernel_interface which) noexcept {
    switch (which) {
        case kernel_interface::uring:
            return "uring";
        case kernel_interface::epoll:
            return "epoll";
        case kernel_interface::poll:
            return "poll";
        case kernel_interface::select:
            return "select";
        case kernel_interface::sigio:
            return "sigio";
        case kernel_interface::linux_aio:
            return "linux_aio";
        case kernel_interface::posix_aio:
            return "posix_aio";
        case kernel_interface::kqueue:
            return "kqueue";
        case kernel_interface::iocp:
            return "iocp";
    }
    return "?";
}

std::string_view name_of(reason code) noexcept {
    switch (code) {
        case reason::works:
            return "works";
        case reason::not_on_this_system:
            return "not_on_this_system";
        case reason::not_in_kernel:
            return "not_in_kernel";
        case reason::emulated_kernel:
            return "emulated_kernel";
        case reason::refused_by_sysctl:
            return "refused_by_sysctl";
        case reason::refused_by_seccomp:
            return "refused_by_seccomp";
        case reason::killed_by_seccomp:
            return "killed_by_seccomp";
        case reason::refused_by_policy:
            return "refused_by_policy";
        case reason::refused:
            return "refused";
        case reason::half_refused:
            return "half_refused";
        case reason::out_of_locked_memory:
            return "out_of_locked_memory";
        case reason::out_of_memory:
            return "out_of_memory";
        case reason::out_of_descriptors:
            return "out_of_descriptors";
        case reason::exhausted:
            return "exhausted";
        case reason::too_old:
            return "too_old";
        case reason::not_tried:
            return "not_tried";
        case reason::broken:
            return "broken";
    }
    return "?";
}

std::string_view name_of(ring_test which) noexcept {
    switch (which) {
        case ring_test::enable:
            return "enable";
        case ring_test::round_trip:
            return "round trip";
        case ring_test::cancel:
            return "cancel";
        case ring_test::multishot_receive:
            return "multishot receive";
        case ring_test::message:
            return "message between rings";
        case ring_test::registered_ring:
            return "registered ring";
        case ring_test::restrictions:
            return "restrictions (hardened)";
    }
    return "?";
}

}  // namespace upcall
