#include "words.hpp"

#include <array>
#include <cstdio>

#include <upcall/base/result.hpp>

namespace upcall::sim {

std::string_view word_for(op_kind kind) noexcept {
    switch (kind) {
        case op_kind::connect:
            return "connect";
        case op_kind::accept:
            return "accept";
        case op_kind::read:
            return "read";
        case op_kind::write:
            return "write";
        case op_kind::receive:
            return "receive";
        case op_kind::receive_message:
            return "receive message";
        case op_kind::send_message:
            return "send message";
        case op_kind::poll:
            return "poll";
        case op_kind::file_read:
            return "file read";
        case op_kind::file_write:
            return "file write";
        case op_kind::file_call:
            return "file call";
        case op_kind::work:
            return "work";
    }
    return "?";
}

std::string text_of(duration length) {
    std::array<char, 48> text{};
    const auto nanoseconds = static_cast<long long>(length.count());
    std::snprintf(text.data(), text.size(), "%lld.%06lld s", nanoseconds / 1'000'000'000,
                  nanoseconds / 1000 % 1'000'000);
    return text.data();
}

std::string outcome_text(std::int64_t result) {
    if (result >= 0) return std::to_string(result);
    return error_from_raw(result).message();
}

}  // namespace upcall::sim
