// Who may await, and what is said when a task is awaited wrongly.
#pragma once

#include <concepts>

#include <upcall/op/context.hpp>

namespace upcall::detail {

/// What a coroutine is that can await upcall's requests and tasks: a `task`. Its promise knows the
/// context that operations are started in. A coroutine of another library's has none: spawn a task
/// in a scope instead, and let that await.
template <class Promise>
concept awaits_in_a_task = requires(Promise& promise) {
    { promise.where() } -> std::same_as<context&>;
};

/// For error messages: the type of what was deleted for `co_await it`, where `it` has a name and
/// may be awaited once. What is meant is `co_await std::move(it)`.
struct write_co_await_std_move {};

/// Ends the program: task `name` awaited or spawned a task that is empty (`moved`), or that was
/// awaited or spawned before.
[[noreturn]] void awaited_wrongly(bool moved, const char* name) noexcept;

}  // namespace upcall::detail
