// What the readers of a site ask it for, and what is wrong with an answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <upcall/driver/choices.hpp>

#include "sim/http_answer.hpp"
#include "sim/site_board.hpp"

namespace upcall_sim {

/// One request.
struct wish {
    enum class kind : std::uint8_t { whole, head, missing, part, part_if_same, unless_same };

    kind what = kind::whole;
    std::size_t file = 0;
    std::uint64_t first = 0;  // of the bytes that are asked for
    std::uint64_t last = 0;
    std::string etag{};

    std::string text() const;
    bool wants_body() const noexcept { return what != kind::head; }
};

/// `etag` is of some answer of before to that reader, or empty.
wish drawn_wish(upcall::choices& chosen, const std::string& etag);

/// What is wrong with a whole answer, or null. `body` is empty where none is sent.
const char* fault_of(const wish& asked, const answer_head& head, std::string_view body,
                     const site_board& known);

/// The server could not answer, which is no fault while things go wrong.
inline bool is_excuse(const answer_head& head) noexcept {
    return head.status == 408 || head.status == 503;
}

}  // namespace upcall_sim
