// result<T>: a value, or the std::error_code that says why there is none.
#pragma once

#include <upcall/base/cxx23.hpp>

#include <concepts>
#include <cstdint>
#include <expected>
#include <string_view>
#include <type_traits>
#include <utility>

#include <upcall/base/error.hpp>

namespace upcall {

/// What an operation ends with. `.value()` on an error throws std::bad_expected_access, whose
/// `what` says nothing of the cause; inside a task that ends the task, and `upcall::run` reports
/// the code's message. A code says why, not of what: see value_or_throw.
template <class T>
using result = std::expected<T, std::error_code>;

/// Builds the failing side of any result: `return failure(outcome.error());`
inline std::unexpected<std::error_code> failure(std::error_code code) noexcept {
    return std::unexpected<std::error_code>(code);
}
/// The code of an errno, equal to the std::errc of that number. It has words everywhere: see
/// upcall/base/error.hpp.
std::error_code error_from_errno(int error) noexcept;

/// `failure(std::errc::invalid_argument)`
inline std::unexpected<std::error_code> failure(std::errc code) noexcept {
    return failure(error_from_errno(static_cast<int>(code)));
}
/// The same of any enumeration of error codes: `failure(errc::closed)`.
template <class Code>
    requires std::is_enum_v<Code> && requires(Code code) {
        { make_error_code(code) } -> std::same_as<std::error_code>;
    }
std::unexpected<std::error_code> failure(Code code) noexcept {
    return std::unexpected<std::error_code>(make_error_code(code));
}

/// Throws std::system_error with `code`; its `what` begins "`tried` `of_what`: ", and goes on with
/// the code's message. Throws std::bad_alloc where there is no memory for that.
[[noreturn]] void throw_failure(std::error_code code, std::string_view tried,
                                std::string_view of_what = {});

/// The value; or throws, in words for whoever reads them:
///
///     auto listener = value_or_throw(tcp::listener::bind(where), "listen on", where);
///     // upcall: task "main" ended by an exception: listen on 127.0.0.1:80: Permission denied
///
/// For errors that nobody goes on after; throw_failure says what is thrown. Costs nothing while all
/// is well: both texts are looked at in that case alone.
template <class T>
T value_or_throw(result<T> outcome, std::string_view tried, std::string_view of_what = {}) {
    if (!outcome) [[unlikely]]
        throw_failure(outcome.error(), tried, of_what);
    if constexpr (!std::is_void_v<T>) return std::move(*outcome);
}

/// How far a transfer of many bytes came, and why it stopped. True when all of it was done.
struct [[nodiscard("it says whether all of the bytes were moved")]] transfer {
    /// Bytes that were moved, whatever the cause.
    std::size_t bytes = 0;
    /// Why it stopped early; empty when it did not.
    std::error_code cause{};

    explicit operator bool() const noexcept { return !cause; }
};

/// Drivers report one number: at least 0 is the value, below 0 an error. Down to -65535 it is a
/// negated errno; further down it is a negated `errc` after this offset.
inline constexpr std::int64_t errc_offset = 0x10000;

/// The raw outcome that says `code`.
constexpr std::int64_t raw_error(errc code) noexcept {
    return -(errc_offset + static_cast<std::int64_t>(code));
}

/// The std::error_code of a negative raw outcome, and the reverse: of `code`, which is one of
/// upcall_category or an errno, and not empty.
std::error_code error_from_raw(std::int64_t raw) noexcept;
std::int64_t raw_error(const std::error_code& code) noexcept;

}  // namespace upcall
