// A network of one's own for a child process, in which anything may be set.
#pragma once

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstring>
#include <fstream>
#include <string>

#include "conformance/posix/raw.hpp"

namespace upcall::test {

/// Moves this process into a new, empty network with a loopback interface. Returns why not, or "".
inline std::string enter_own_network() {
    if (::unshare(CLONE_NEWNET) != 0)
        return "a network namespace needs privileges: " + std::generic_category().message(errno);
    const raw_fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq interface{};
    std::strcpy(interface.ifr_name, "lo");
    interface.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(control.get(), SIOCSIFFLAGS, &interface) != 0)
        return "the loopback interface cannot be brought up";
    return "";
}

/// Writes a setting below /proc/sys/net/ipv4. Returns why not, or "".
inline std::string set_network(const std::string& name, const std::string& value) {
    std::ofstream file("/proc/sys/net/ipv4/" + name);
    file << value << std::flush;
    return file ? "" : "net.ipv4." + name + " cannot be set";
}

}  // namespace upcall::test
