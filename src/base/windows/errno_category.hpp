// Error codes whose words the C runtime of Windows does not have.
#pragma once

#include <algorithm>
#include <string>
#include <system_error>

#include "base/errno_words.hpp"

namespace upcall {

/// Says what the C runtime cannot, and is std::generic_category in all else: compared with a
/// std::errc, its codes are equal to it.
class errno_category final : public std::error_category {
  public:
    const char* name() const noexcept override { return std::generic_category().name(); }
    std::string message(int error) const override {
        const auto found = std::ranges::find(errno_words(), error, &errno_meaning::error);
        return found == errno_words().end() ? std::generic_category().message(error) : found->words;
    }
    std::error_condition default_error_condition(int error) const noexcept override {
        return {error, std::generic_category()};
    }
};

inline const std::error_category& category_of_errno(int error) noexcept {
    static const errno_category worded;
    const bool known =
        std::ranges::find(errno_words(), error, &errno_meaning::error) == errno_words().end();
    if (known) return std::generic_category();
    return worded;
}

}  // namespace upcall
