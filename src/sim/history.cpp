#include "history.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "words.hpp"

namespace upcall::sim {

namespace {

/// As much of it as fits.
template <std::size_t Size>
void copy_text(const char* from, std::array<char, Size>& to) noexcept {
    const std::size_t length = ::strnlen(from, Size - 1);
    std::memcpy(to.data(), from, length);
    to[length] = 0;
}

}  // namespace

history::moment* history::next() noexcept {
    return moments_.empty() ? nullptr : &moments_[count_++ % moments_.size()];
}

// The name may be gone with its task before anybody reads this.
void history::add(const sim_event& outcome) noexcept {
    moment* const now = next();
    if (!now) return;
    now->outcome = outcome;
    now->is_outcome = true;
    copy_text(outcome.task, now->text);
}

void history::add(time_point at, sim_host host, const char* text) noexcept {
    moment* const now = next();
    if (!now) return;
    now->outcome = {};
    now->outcome.at = at;
    now->outcome.host = host;
    now->is_outcome = false;
    copy_text(text, now->text);
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
