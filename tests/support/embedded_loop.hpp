// Loops that live inside other event loops, and the drivers of this host that have them.
#pragma once

#include <string>
#include <vector>

#include "support/loop_test.hpp"
#include "support/test_loop.hpp"

namespace upcall::testing {

inline loop_options embedded_loop() {
    loop_options options = small_loop();
    options.embedded = true;
    return options;
}

/// The drivers of this host whose loops are descriptors.
inline std::vector<std::string> embedded_kernels() {
    std::vector<std::string> names;
    for (const std::string& name : tested_kernels()) {
        const auto made = make_test_loop(name, embedded_loop());
        if (made && made->native_handle()) names.push_back(name);
    }
    return names;
}

}  // namespace upcall::testing
