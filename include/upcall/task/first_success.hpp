// Waiting for the first of several attempts that succeeds.
//
//     auto peer = co_await first_success(tcp::connect(a), tcp::connect(b));
//
// Failures are ignored while another attempt may still succeed. The first success has the others
// cancelled; they are awaited, and if one of them succeeds (or throws) all the same, that is
// destroyed.
#pragma once

#include <array>
#include <exception>
#include <expected>
#include <optional>

#include <upcall/task/detail/group.hpp>

namespace upcall {

namespace detail {

template <class Result>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

/// The first success decides, or the first exception, which is no mere failure.
struct success_decides {
    template <class Op>
    struct of {
        using outcome_type = decltype(std::declval<Op&>().take());
        std::optional<outcome_type> outcome;
        std::exception_ptr thrown;

        template <class Part>
        bool decides(Part& part) noexcept {
            try {
                outcome.emplace(part.outcome());
            } catch (...) {
                thrown = std::current_exception();
                return true;
            }
            return outcome->has_value();
        }
    };
};

template <class Op, class... Others>
class first_success_operation : public group_operation {
    using parts = fixed_parts<success_decides, Op, Others...>;
    using outcome = decltype(std::declval<Op&>().take());
    static_assert(is_result<outcome>, "first_success takes what yields result<T>");
    static_assert((std::is_same_v<outcome, decltype(std::declval<Others&>().take())> && ...),
                  "all attempts yield the same type");
    using value = typename outcome::value_type;
    using failures = std::array<std::error_code, 1 + sizeof...(Others)>;

  public:
    using arguments = typename parts::arguments;
    explicit first_success_operation(arguments&& given) : parts_(std::move(given)) {}

    bool launch(context& where) noexcept { return launch_parts(parts_, where); }
    bool failed() noexcept
        requires(may_fail<Op> || ... || may_fail<Others>)
    {
        bool thrown = false;
        parts_.for_each([&](auto& part) {
            if (part.index == decided()) thrown = part.policy.thrown != nullptr;
        });
        return thrown;
    }
    std::expected<value, failures> take() {
        std::optional<std::expected<value, failures>> success;
        failures why;
        parts_.for_each([&](auto& part) {
            auto& kept = part.policy;
            if (part.index == decided()) {
                if (kept.thrown) std::rethrow_exception(kept.thrown);
                if constexpr (std::is_void_v<value>)
                    success.emplace();
                else
                    success.emplace(std::in_place, std::move(**kept.outcome));
            } else if (kept.outcome && !kept.outcome->has_value()) {
                why[part.index] = kept.outcome->error();
            }
        });
        if (success) return std::move(*success);
        return std::unexpected(why);
    }

  private:
    parts parts_;
};

}  // namespace detail

/// Starts all attempts, in order; each yields the same result<T>. Yields
/// std::expected<T, std::array<std::error_code, N>>: the first success when all have ended, or, if
/// there is none, every attempt's error. An exception of a task cancels the others and is thrown.
/// Cancelling it asks all of them.
template <detail::combinable... Awaitables>
    requires(sizeof...(Awaitables) > 0)
auto first_success(Awaitables... all) {
    using operation_type = detail::first_success_operation<detail::operation_of<Awaitables>...>;
    return request<operation_type>(
        typename operation_type::arguments(detail::as_request(std::move(all)).release()...));
}

}  // namespace upcall
