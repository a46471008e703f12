// Waiting for several operations and tasks at once, for the first of them.
//
//     auto any = co_await when_any(socket.read(buffer), events.receive(), sleep(1s));
//     if (auto& read = std::get<0>(any.outcomes)) …  // it may have read, though it came second
//
// The first to end, whatever its outcome, has the others cancelled. They are awaited, and every
// outcome is handed over: cancelling only asks, so a loser may have done its work all the same.
#pragma once

#include <exception>
#include <expected>
#include <stdexcept>
#include <vector>

#include <upcall/task/detail/group.hpp>

namespace upcall {

/// What `when_any` yields.
template <class Outcomes>
struct any_outcome {
    /// The first to end.
    std::size_t index;
    /// Of each: what the request yields (void: std::monostate); for what may throw (tasks, and what
    /// is made of them) std::expected<value, std::exception_ptr>.
    Outcomes outcomes;
};

namespace detail {

struct first_decides {
    template <class Op>
    struct of {
        bool decides(Op&) noexcept { return true; }
    };
};

/// A part's outcome; what it threw is a value, too.
template <class Part>
auto take_outcome(Part& part) {
    if constexpr (may_fail<Part>) {
        part.untaken = false;
        return take_caught(part);
    } else {
        return part.outcome();
    }
}

template <class... Ops>
class when_any_operation : public group_operation {
    using parts = fixed_parts<first_decides, Ops...>;

  public:
    using arguments = typename parts::arguments;
    explicit when_any_operation(arguments&& given) : parts_(std::move(given)) {}

    bool launch(context& where) noexcept { return launch_parts(parts_, where); }
    auto take() {
        auto outcomes = parts_.collect([](auto& part) { return take_outcome(part); });
        return any_outcome<decltype(outcomes)>{decided(), std::move(outcomes)};
    }

  private:
    parts parts_;
};

template <class T>
class when_any_of_operation : public group_operation {
    using outcomes = std::vector<std::expected<T, std::exception_ptr>>;

  public:
    struct arguments {
        explicit arguments(std::vector<task<T>>&& given) : parts(std::move(given)) {
            room.reserve(parts.size());
        }
        many_parts<T, first_decides> parts;
        outcomes room;
    };
    explicit when_any_of_operation(arguments&& given) noexcept : given_(std::move(given)) {}

    bool launch(context& where) noexcept { return launch_parts(given_.parts, where); }
    any_outcome<outcomes> take() {
        given_.parts.for_each([this](auto& one) { given_.room.push_back(take_outcome(one)); });
        return {decided(), std::move(given_.room)};
    }

  private:
    arguments given_;
};

}  // namespace detail

/// Starts all, in order, and yields an `any_outcome` when the last has ended. All are started even
/// if the first is done at once; the others then start cancelled, and do nothing that can be
/// cancelled. Cancelling it asks all of them.
template <detail::combinable... Awaitables>
    requires(sizeof...(Awaitables) > 0)
auto when_any(Awaitables... all) {
    using operation_type = detail::when_any_operation<detail::operation_of<Awaitables>...>;
    return request<operation_type>(
        typename operation_type::arguments(detail::as_request(std::move(all)).release()...));
}

/// The same for any number of tasks: the outcomes are a std::vector of
/// std::expected<T, std::exception_ptr>, in order. Allocates here and nowhere later. Throws
/// std::bad_alloc, and std::invalid_argument for no tasks at all, of which none could be the first;
/// no task was started then.
template <class T>
auto when_any(std::vector<task<T>> all) {
    if (all.empty()) throw std::invalid_argument("when_any of no tasks");
    using operation_type = detail::when_any_of_operation<T>;
    return request<operation_type>(typename operation_type::arguments(std::move(all)));
}

}  // namespace upcall
