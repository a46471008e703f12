// Signals as a source: each one that comes is a value.
//
//     auto signals = signal_set::watch({SIGINT, SIGTERM}).value();
//     while (auto came = co_await signals.next())
//         if (came->number == SIGTERM) break;
//
// Any number of sets, on any loops, may watch one signal: each of them gets it. While one does, the
// signal's disposition is upcall's; when the last is gone it is again what it was before. A child
// of fork(2) begins with the old dispositions, and its copies of the sets never tell anything.
//
// The kernel keeps one waiting signal of each number below SIGRTMIN, and delivers to a thread that
// has not blocked it: threads of the library's own block them all (signal(7)).
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

#include <upcall/os/signal_watch.hpp>
#include <upcall/task/request.hpp>

namespace upcall {

namespace detail {

/// The pinned half of a set: the watch, and the handle that becomes readable.
struct signal_core : recycled {
    loop* home = nullptr;
    handle bell;
    signal_watch watch;
    std::uint32_t references = 1;
    bool abandoned = false;

    void abandon() noexcept;
    void drop() noexcept {
        if (--references == 0) delete this;
    }
};

class next_signal_operation : public io_operation {
  public:
    struct arguments {
        signal_core* core;
    };
    explicit next_signal_operation(arguments&& given) noexcept : core_(given.core) {
        ends_on_stop = true;
    }
    bool launch(context& where) noexcept;
    bool settle() noexcept;
    upcall::result<signal_event> take() const noexcept;

  private:
    bool look(bool drained) noexcept;

    signal_core* core_;
    signal_event event_;
    std::array<std::byte, 16> rung_{};
};

}  // namespace detail

/// Belongs to the loop it was made on and is used there alone. Destroying it ends the waits on it
/// with `closed`; signals that came and were not asked for are dropped.
class signal_set {
  public:
    signal_set() = default;
    signal_set(signal_set&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    signal_set& operator=(signal_set&& other) noexcept {
        if (this != &other) {
            close();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }
    ~signal_set() { close(); }

    /// Watches the signals with these numbers, on the current loop. Errors: no_loop;
    /// invalid_argument for what cannot be caught (SIGKILL, SIGSTOP) and what a fault raises
    /// (SIGSEGV and its like); too_many_files_open; unsupported on Windows.
    static result<signal_set> watch(std::span<const int> numbers);
    static result<signal_set> watch(std::initializer_list<int> numbers) {
        return watch(std::span(numbers.begin(), numbers.size()));
    }

    explicit operator bool() const noexcept { return core_ != nullptr; }

    /// The next signal: at once when one has come. Numbers that came are told in turn, each with
    /// how often it came. An idle wait: `stop` ends it with `cancelled`. Several may wait.
    request<detail::next_signal_operation> next() {
        return request<detail::next_signal_operation>({core_});
    }

    /// Stops watching.
    void close() noexcept {
        if (core_) std::exchange(core_, nullptr)->abandon();
    }

  private:
    explicit signal_set(detail::signal_core& core) noexcept : core_(&core) {}

    detail::signal_core* core_ = nullptr;
};

}  // namespace upcall
