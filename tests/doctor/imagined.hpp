// Examinations of hosts that are not at hand.
#pragma once

#include <cerrno>

#include "doctor/examination.hpp"

namespace upcall_doctor {

// A host on which io_uring is refused by a filter, epoll works and descriptors are few.
inline examination refused_host() {
    examination found;
    upcall::host& host = found.host;
    host.system.kernel = "Linux";
    host.system.release = "6.1.0";
    host.system.machine = "x86_64";
    host.system.processors = 8;
    host.system.processors_usable = 2;
    host.system.seccomp = upcall::host_system::seccomp_mode::filter;
    host.system.container = "docker";
    host.system.container_evidence = {"/.dockerenv exists"};
    host.limits.sysctls_readable = true;
    host.limits.descriptors = {upcall::quantity::of(1024), upcall::quantity::of(4096)};
    for (std::size_t i = 0; i < upcall::kernel_interface_count; ++i)
        host.interfaces[i] = {static_cast<upcall::kernel_interface>(i),
                              true,
                              0,
                              upcall::reason::works,
                              "It works.",
                              {}};
    for (const auto foreign : {upcall::kernel_interface::kqueue, upcall::kernel_interface::iocp})
        host.interfaces[static_cast<std::size_t>(foreign)] = {
            foreign, false, 0, upcall::reason::not_on_this_system, "It is from elsewhere.", {}};
    host.interfaces[0] = {upcall::kernel_interface::uring,
                          false,
                          EPERM,
                          upcall::reason::refused_by_seccomp,
                          "A filter refuses it.",
                          "Run it with `--security-opt seccomp=FILE`."};
    found.choice = upcall::choose_driver(host);
    return found;
}

}  // namespace upcall_doctor
