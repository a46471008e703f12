#include "lab/machine.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <upcall/driver/host.hpp>

#include "lab/run.hpp"
#include "lab/scratch.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

/// The value of the first line of `path` that begins with `key`.
std::string value_in(const char* path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key)) continue;
        const auto at = line.find_first_not_of(" \t:", key.size());
        return at == std::string::npos ? std::string() : line.substr(at);
    }
    return {};
}

std::string date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
    return text;
}

}  // namespace

machine_facts this_machine(const std::string& directory) {
    const auto seen = upcall::this_host();
    const upcall::host_system& system = seen->system;
    machine_facts facts;
    facts.emplace_back("kernel", system.kernel + " " + system.release + " " + system.machine);
    std::string processor = value_in("/proc/cpuinfo", "model name");
    if (processor.empty()) processor = system.machine;
    if (value_in("/proc/cpuinfo", "flags").find("hypervisor") != std::string::npos)
        processor += ", a virtual machine";
    facts.emplace_back("processor", processor);
    facts.emplace_back("cores", std::to_string(note_cores()) + " for this process, of " +
                                    std::to_string(system.processors));
    const double kilobytes = std::strtod(value_in("/proc/meminfo", "MemTotal").c_str(), nullptr);
    facts.emplace_back("memory", in_bytes(kilobytes * 1024));
    facts.emplace_back("files in", directory + " (" + file_system_of(directory) + ")");
    if (!system.container.empty()) facts.emplace_back("container", system.container);
    facts.emplace_back("date", date());
    return facts;
}

std::vector<std::string> disturbances() {
    std::vector<std::string> found;
    double load = 0;
    const unsigned cores = note_cores();
    if (::getloadavg(&load, 1) == 1 && load > 0.5 * cores)
        found.push_back("The load was " + in_digits(load) + " on " + std::to_string(cores) +
                        " cores when this began: other programs were measured, too.");
    if (cores < 2)
        found.emplace_back(
            "There is one core: what is measured and what loads it share it, and disturb each "
            "other.");
    return found;
}

}  // namespace upcall_lab
