// The drivers that tests below the loop run on, by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <upcall/driver/sim_kernel.hpp>

#include "support/driver_bench.hpp"

#ifdef _WIN32
#include "driver/iocp/factory.hpp"
#else
#include <upcall/driver/select.hpp>
#endif

namespace upcall::test {

struct bench_driver {
    std::string name;
    driver_maker_for_bench make;
};

inline void PrintTo(const bench_driver& one, std::ostream* out) { *out << one.name; }

/// Simulated kernels live as long as the maker that is handed out here.
inline bench_driver simulated(const sim_options& options = {}) {
    auto kernel = std::make_shared<sim_kernel>(options);
    return {"sim",
            [kernel](const driver_environment& lent) { return make_sim_driver(*kernel, lent); }};
}

#ifndef _WIN32
/// The drivers of this host, by the names of select.hpp.
inline bench_driver host_driver(const std::string& name) {
    return {name, [name](const driver_environment& lent) {
                auto made = make_driver({.name = name, .uring = {}}, lent);
                EXPECT_TRUE(made) << name << ": " << made.error().message();
                return made ? std::move(*made) : nullptr;
            }};
}

/// Those that make their system calls themselves.
inline std::vector<bench_driver> posix_bench_drivers() {
    std::vector<bench_driver> all;
    for (const char* name : {"epoll", "poll", "select", "sigio", "blocking"})
        all.push_back(host_driver(name));
    if (is_driver_name("kqueue")) all.push_back(host_driver("kqueue"));
    return all;
}
#endif

inline std::vector<bench_driver> bench_drivers() {
    std::vector<bench_driver> all;
    all.push_back(simulated());
#ifdef _WIN32
    all.push_back({"iocp", [](const driver_environment& lent) -> std::unique_ptr<driver> {
                       std::error_code error;
                       auto made = make_iocp_driver(lent, error);
                       EXPECT_FALSE(error) << error.message();
                       return made;
                   }});
#else
    for (auto& one : posix_bench_drivers()) all.push_back(std::move(one));
#endif
    return all;
}

}  // namespace upcall::test
