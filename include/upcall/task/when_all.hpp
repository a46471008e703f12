// Waiting for several operations and tasks at once, for all of them.
//
//     auto [a, b] = co_await when_all(primary.read(x), replica.read(y));
//
// Errors in results are values: they end nobody else. A task that ends with an exception has the
// others cancelled; they are awaited, then the exception that came first is thrown and all other
// outcomes are destroyed: what was locked is unlocked, who was accepted is reset, and what was
// received is gone. No coroutine, and for a fixed number of awaitables no allocation.
#pragma once

#include <vector>

#include <upcall/task/detail/group.hpp>

namespace upcall {

namespace detail {

/// The first exception decides.
struct exception_decides {
    template <class Op>
    struct of {
        bool decides(Op& op) noexcept { return has_failed(op); }
    };
};

template <class... Ops>
class when_all_operation : public group_operation {
    using parts = fixed_parts<exception_decides, Ops...>;

  public:
    using arguments = typename parts::arguments;
    explicit when_all_operation(arguments&& given) : parts_(std::move(given)) {}

    bool launch(context& where) noexcept { return launch_parts(parts_, where); }
    bool failed() const noexcept
        requires(may_fail<Ops> || ...)
    {
        return decided() != nobody;
    }
    auto take() {
        if (decided() != nobody)
            parts_.for_each([this](auto& part) {
                if (part.index == decided()) static_cast<void>(part.outcome());  // throws
            });
        return parts_.collect([](auto& part) { return part.outcome(); });
    }

  private:
    parts parts_;
};

template <class T>
class when_all_of_operation : public group_operation {
    static constexpr bool has_values = !std::is_void_v<T>;
    using values = std::conditional_t<has_values, std::vector<T>, std::monostate>;

  public:
    struct arguments {
        explicit arguments(std::vector<task<T>>&& given) : parts(std::move(given)) {
            if constexpr (has_values) room.reserve(parts.size());
        }
        many_parts<T, exception_decides> parts;
        [[no_unique_address]] values room;
    };
    explicit when_all_of_operation(arguments&& given) noexcept : given_(std::move(given)) {}

    bool launch(context& where) noexcept { return launch_parts(given_.parts, where); }
    bool failed() const noexcept { return decided() != nobody; }
    auto take() {
        if (decided() != nobody) given_.parts[decided()].outcome();  // throws
        if constexpr (has_values) {
            given_.parts.for_each([this](auto& one) { given_.room.push_back(one.outcome()); });
            return std::move(given_.room);
        }
    }

  private:
    arguments given_;
};

}  // namespace detail

/// Starts all, in order, and yields a std::tuple of what each yields when the last has ended; void
/// becomes std::monostate. Cancelling it asks all of them.
template <detail::combinable... Awaitables>
auto when_all(Awaitables... all) {
    using operation_type = detail::when_all_operation<detail::operation_of<Awaitables>...>;
    return request<operation_type>(
        typename operation_type::arguments(detail::as_request(std::move(all)).release()...));
}

/// The same for any number of tasks: yields a std::vector of their values in order, or nothing.
/// Allocates here and nowhere later; throws std::bad_alloc, and then no task was started.
template <class T>
auto when_all(std::vector<task<T>> all) {
    using operation_type = detail::when_all_of_operation<T>;
    return request<operation_type>(typename operation_type::arguments(std::move(all)));
}

}  // namespace upcall
