// What every micro-benchmark prints: one line `name ns_per_op` per measure, so that bench/run can
// set two programs side by side.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

namespace micro {

struct settings {
    double seconds = 0.5;   // per measure
    std::string_view only;  // run this measure alone
};

inline settings parse(int argc, char** argv) {
    settings chosen;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--seconds") == 0) chosen.seconds = std::atof(argv[i + 1]);
        if (std::strcmp(argv[i], "--only") == 0) chosen.only = argv[i + 1];
    }
    return chosen;
}

// Calls `batch`, which performs `operations` of them, until the time is over, and prints the
// median batch's time per operation: a batch during which another process ran does not count.
// A batch that returns nanoseconds has taken its time itself.
template <typename Batch>
void measure(const settings& chosen, const char* name, std::size_t operations, Batch&& batch) {
    using clock = std::chrono::steady_clock;
    if (!chosen.only.empty() && chosen.only != name) return;
    batch();  // pools and caches fill
    std::vector<double> times;
    const auto start = clock::now();
    auto before = start;
    do {
        if constexpr (std::is_same_v<std::invoke_result_t<Batch>, double>) {
            times.push_back(batch());
            before = clock::now();
        } else {
            batch();
            const auto after = clock::now();
            times.push_back(std::chrono::duration<double, std::nano>(after - before).count());
            before = after;
        }
    } while (std::chrono::duration<double>(before - start).count() < chosen.seconds);
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    std::printf("%s %.2f\n", name, *middle / static_cast<double>(operations));
    std::fflush(stdout);
}

}  // namespace micro
