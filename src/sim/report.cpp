#include <upcall/sim/report.hpp>

#include <utility>

#include "words.hpp"

namespace upcall::sim {
namespace {

const char* word_for(ending how) noexcept {
    switch (how) {
        case ending::finished:
            return "finished";
        case ending::failed:
            return "failed";
        case ending::stalled:
            return "stalled";
        case ending::limit:
            return "went on too long";
    }
    return "?";
}

}  // namespace

void report::fail(std::string why) {
    if (!ok()) return;
    how = ending::failed;
    what = std::move(why);
}

std::string report::text() const {
    std::string lines = "seed " + std::to_string(seed) + ": " + word_for(how);
    if (!what.empty()) lines += ": " + what;
    lines += "\nafter " + text_of(time) + ", " + std::to_string(outcomes) + " outcomes, " +
             std::to_string(choices.size()) + " choices; digest " + std::to_string(digest) + "\n";
    if (!trace.empty()) lines += "the last that happened:\n";
    for (const std::string& line : trace) lines += "  " + line + "\n";
    return lines;
}

}  // namespace upcall::sim
