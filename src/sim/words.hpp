// What happened, in words for people.
#pragma once

#include <string>
#include <string_view>

#include <upcall/base/clock.hpp>
#include <upcall/driver/io_operation.hpp>

namespace upcall::sim {

std::string_view word_for(op_kind kind) noexcept;
/// "12.000345 s"
std::string text_of(duration length);
/// The value of an operation, or what its error means.
std::string outcome_text(std::int64_t result);

}  // namespace upcall::sim
