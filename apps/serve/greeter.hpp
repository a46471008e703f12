// Says where the server serves, and on what.
#pragma once

#include <upcall/upcall.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "serve/listen_address.hpp"
#include "serve/options.hpp"

namespace upcall_serve {

// A line on standard error.
inline void say(const std::string& text) {
    std::fprintf(stderr, "upcall serve: %s\n", text.c_str());
}

// Says which driver serves. The first loop speaks for all; only those with another one are told of
// separately.
class greeter {
  public:
    greeter(const options& settings, const std::vector<upcall::address>& places, unsigned loops)
        : settings_(settings), places_(places), loops_(loops) {}

    void chosen(unsigned index, const upcall::selection_report& report) {
        if (index == 0) {
            first_ = report.chosen;
            greet(report);
            for (const auto& [earlier, early] : early_) tell_of(earlier, early);
        } else if (first_.empty()) {
            early_.emplace_back(index, report);
        } else {
            tell_of(index, report);
        }
    }

  private:
    void greet(const upcall::selection_report& report) const {
        for (const upcall::address& where : places_)
            std::fprintf(stdout, "serving %s at %s\n", settings_.directory.c_str(),
                         url_of(where).c_str());
        std::fprintf(stdout, "on %s, %u loop%s. Stop with Ctrl-C.\n", report.to_string().c_str(),
                     loops_, loops_ == 1 ? "" : "s");
        std::fflush(stdout);
    }
    void tell_of(unsigned index, const upcall::selection_report& report) const {
        if (report.chosen == first_) return;
        say("loop " + std::to_string(index + 1) + " of " + std::to_string(loops_) + " is on " +
            report.to_string());
    }

    const options& settings_;
    const std::vector<upcall::address>& places_;
    unsigned loops_;
    std::string first_;
    std::vector<std::pair<unsigned, upcall::selection_report>> early_;
};

}  // namespace upcall_serve
