#include "driver/host/linux/read_system.hpp"

#if defined(__linux__)

#include <cstdlib>

namespace upcall::host_probe {
namespace {

// The first sign names the container; later ones only add evidence.
void add_sign(host_system& system, std::string_view kind, std::string evidence) {
    if (system.container.empty()) system.container = kind;
    system.container_evidence.push_back(std::move(evidence));
}

void look_at_cgroup_paths(const system_files& files, host_system& system) {
    struct pattern {
        std::string_view text;
        std::string_view kind;
    };
    constexpr pattern patterns[] = {
        {"kubepods", "kubernetes"},   {"/docker", "docker"}, {"libpod", "podman"},
        {"containerd", "containerd"}, {"/lxc", "lxc"},       {"machine.slice", "systemd-nspawn"},
    };
    for (const std::string_view path : {"/proc/1/cgroup", "/proc/self/cgroup"}) {
        const auto text = files.read(path);
        if (!text) continue;
        for (const pattern& each : patterns)
            if (text->find(each.text) != std::string::npos)
                return add_sign(system, each.kind,
                                std::string(path) + " names " + std::string(each.text));
    }
}

}  // namespace

void read_container(const system_files& files, host_system& system) {
    if (system.is_gvisor) add_sign(system, "gvisor", "/proc/version is gVisor's");
    // Only what concerns the running system counts: a test's folder has no environment.
    if (files.root.empty() && std::getenv("KUBERNETES_SERVICE_HOST"))
        add_sign(system, "kubernetes", "KUBERNETES_SERVICE_HOST is set");
    if (files.exists("/var/run/secrets/kubernetes.io"))
        add_sign(system, "kubernetes", "/var/run/secrets/kubernetes.io exists");
    if (files.exists("/run/.containerenv")) add_sign(system, "podman", "/run/.containerenv exists");
    if (files.exists("/.dockerenv")) add_sign(system, "docker", "/.dockerenv exists");
    if (const auto kind = files.read("/run/systemd/container"); kind && !trim(*kind).empty())
        add_sign(system, trim(*kind), "/run/systemd/container says " + std::string(trim(*kind)));
    if (const auto environment = files.read("/proc/1/environ"))
        for (const std::string_view variable : split(*environment, '\0'))
            if (variable.starts_with("container="))
                add_sign(system, variable.substr(10),
                         "process 1 has " + std::string(variable) + " in its environment");
    look_at_cgroup_paths(files, system);
}

}  // namespace upcall::host_probe

#endif
