#include "history.hpp"

#include <algorithm>
#include <cstdio>

#include "words.hpp"

namespace upcall::sim {

history::moment* history::next() noexcept {
    return moments_.empty() ? nullptr : &moments_[count_++ % moments_.size()];
}

// The name may be gone with its task before anybody reads this.
void history::add(const sim_event& outcome) noexcept {
    moment* const now = next();
    if (!now) return;
    now->outcome = outcome;
    now->is_outcome = true;
    std::snprintf(now->text.data(), now->text.size(), "%s", outcome.task);
}

void history::add(time_point at, sim_host host, const char* text) noexcept {
    moment* const now = next();
    if (!now) return;
    now->outcome = {};
    now->outcome.at = at;
    now->outcome.host = host;
    now->is_outcome = false;
    std::snprintf(now->text.data(), now->text.size(), "%s", text);
}

std::vector<std::string> history::lines(time_point start,
                                        const std::vector<std::string>& names) const {
    std::vector<std::string> all;
    const std::size_t kept = std::min(count_, moments_.size());
    for (std::size_t at = count_ - kept; at < count_; ++at) {
        const moment& one = moments_[at % moments_.size()];
        std::string line = text_of(one.outcome.at - start) + "  ";
        line += names.at(static_cast<std::size_t>(one.outcome.host)) + "  ";
        if (one.is_outcome) {
            line += "\"" + std::string(one.text.data()) + "\" ";
            line += std::string(word_for(one.outcome.kind)) + " #" +
                    std::to_string(one.outcome.operation) + ": ";
            line += outcome_text(one.outcome.result);
        } else {
            line += one.text.data();
        }
        all.push_back(std::move(line));
    }
    return all;
}

}  // namespace upcall::sim
