#include "doctor/write_interfaces.hpp"

#include <algorithm>
#include <string_view>
#include <upcall/driver/abilities.hpp>
#include <vector>

namespace upcall_doctor {
namespace {

using upcall::ability;

constexpr std::string_view head = R"(# Interfaces

What each driver does by its kernel interface (native), what it makes of something else (emulated)
and what it cannot do (no). A number stands for how, or why not: see below the table. This page is
what `upcall doctor --interfaces` prints; a test compares the two. What of it a host grants,
`upcall doctor` finds out.

The file engines go with poll, select and sigio as well: `poll+linux_aio`. The three ways of
`posix_aio` to tell of completions (`posix_aio` by a signal, `posix_aio_thread` by a callback,
`posix_aio_suspend` by waiting) can do the same. [More on kqueue](kqueue.md).

)";

/// Numbers in order of appearance.
class remarks {
  public:
    std::size_t number_of(std::string_view text) {
        const auto found = std::ranges::find(texts_, text);
        if (found == texts_.end()) texts_.push_back(text);
        return static_cast<std::size_t>(std::ranges::find(texts_, text) - texts_.begin()) + 1;
    }
    const std::vector<std::string_view>& all() const { return texts_; }

  private:
    std::vector<std::string_view> texts_;
};

std::string_view word_for(ability::way how) noexcept {
    switch (how) {
        case ability::way::native:
            return "native";
        case ability::way::emulated:
            return "emulated";
        case ability::way::none:
            break;
    }
    return "no";
}

std::string cell(const ability& found, remarks& notes) {
    std::string text(word_for(found.how));
    if (!found.remark.empty()) text += " (" + std::to_string(notes.number_of(found.remark)) + ")";
    return text;
}

}  // namespace

std::string write_interfaces() {
    std::string page(head);
    std::string line = "|---|";
    page += "| |";
    for (const std::string_view driver : upcall::drivers_with_abilities) {
        page += " " + std::string(driver) + " |";
        line += "---|";
    }
    page += "\n" + line + "\n";
    remarks notes;
    for (std::size_t at = 0; at < upcall::driver_task_count; ++at) {
        const auto task = static_cast<upcall::driver_task>(at);
        page += "| " + std::string(name_of(task)) + " |";
        for (const std::string_view driver : upcall::drivers_with_abilities)
            page += " " + cell(upcall::ability_of(driver, task), notes) + " |";
        page += "\n";
    }
    page += "\n";
    std::size_t number = 0;
    for (const std::string_view text : notes.all())
        page += std::to_string(++number) + ". " + std::string(text) + "\n";
    return page;
}

}  // namespace upcall_doctor
