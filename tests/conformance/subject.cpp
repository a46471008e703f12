#include "conformance/subject.hpp"

namespace upcall::test {
namespace {

struct feature {
    const char* name;
    bool uring_options::* enabled;
};

constexpr feature features[] = {
    {"single_issuer", &uring_options::single_issuer},
    {"defer_taskrun", &uring_options::defer_taskrun},
    {"submit_all", &uring_options::submit_all},
    {"no_sqarray", &uring_options::no_sqarray},
    {"registered_ring", &uring_options::registered_ring},
    {"no_iowait", &uring_options::no_iowait},
    {"registered_files", &uring_options::registered_files},
    {"registered_buffers", &uring_options::registered_buffers},
    {"provided_buffers", &uring_options::provided_buffers},
    {"multishot_accept", &uring_options::multishot_accept},
    {"multishot_receive", &uring_options::multishot_receive},
};

}  // namespace

std::vector<subject> host_drivers() {
    std::vector<subject> all;
    for (const std::string& name : driver_names())
        all.push_back({.name = name, .choice = {.name = name, .uring = {}}});
    if (all.empty() || all.front().name != "uring") return all;
    uring_options restricted;
    restricted.hardened = true;
    all.insert(all.begin() + 1, {.name = "uring_hardened",
                                 .choice = {.name = "uring", .uring = restricted},
                                 .reduced = true});
    return all;
}

std::vector<subject> forms_of_host_drivers() {
    std::vector<subject> all = host_drivers();
    if (all.empty() || all.front().name != "uring") return all;
    for (const feature& one : features) {
        uring_options options;
        options.*one.enabled = false;
        all.push_back({.name = std::string("uring_no_") + one.name,
                       .choice = {.name = "uring", .uring = options},
                       .reduced = true});
    }
    return all;
}

std::vector<subject> with_sim(std::vector<subject> all) {
    all.push_back({.name = "sim", .choice = {}, .simulated = true});
    return all;
}

std::vector<subject> all_kernels() { return with_sim(forms_of_host_drivers()); }

std::vector<subject> with_file_engines(std::vector<subject> all) {
    for (const std::string& engine : file_engine_names())
        all.push_back(
            {.name = "epoll_" + engine, .choice = {.name = "epoll+" + engine, .uring = {}}});
    return all;
}

}  // namespace upcall::test
