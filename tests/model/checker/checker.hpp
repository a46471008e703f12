// A small model checker: runs a program of up to four threads once for every order of its atomic
// operations that can make a difference, on the library's real code.
//
//     struct two_posts : model::program {
//         mailbox box{…};                       // made on thread 0, before the others begin
//         void thread(unsigned which) override { … }
//         ~two_posts() override { model::check(got == 2, "both arrive"); }  // after all have ended
//     };
//     const model::outcome all = model::explore<two_posts>(3);
//
// docs/model-checking.md tells what is found, and what is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace model {

constexpr unsigned threads_max = 4;

class program {
  public:
    program() = default;
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    /// On thread 0 when all threads have ended.
    virtual ~program() = default;
    /// What thread `which` does.
    virtual void thread(unsigned which) = 0;
};

/// An atomic operation in the code, by its address, with the order that it declares.
struct site {
    std::uintptr_t address = 0;
    int order = 0;
    bool fetches = false;
    bool stores = false;
};

struct settings {
    unsigned threads = 2;
    /// The site whose order counts as relaxed; 0: none.
    std::uintptr_t weakened = 0;
    /// More executions than this are a failure.
    std::uint64_t executions_max = 200'000;
    /// What is allocated and not freed is a failure.
    bool leaks = true;
};

struct outcome {
    /// Executions that differ, and those that turned out, half way, to repeat another.
    std::uint64_t executions = 0;
    std::uint64_t repeated = 0;
    std::size_t steps_max = 0;
    /// Empty: every execution was good. Else what happened first, and how it came about.
    std::string failure;
    std::vector<site> sites;
};

outcome explore(program* (*make)(), const settings& how);

template <class Program>
outcome explore(unsigned threads, std::uintptr_t weakened = 0) {
    settings how;
    how.threads = threads;
    how.weakened = weakened;
    return explore([]() -> program* { return new Program; }, how);
}

/// The body of a thread of the program that stands for one which the code starts itself, by
/// pthread_create: the last of the program's threads for the first that is started, and so on.
/// Returns when that one has ended, or at once after `start_no_more`.
void be_started() noexcept;
/// Nobody will start a thread any more.
void start_no_more() noexcept;

/// Fails the execution with `what` unless it holds.
void check(bool holds, const char* what) noexcept;

/// The source line of an address in this program.
std::string place(std::uintptr_t address);

/// What a kernel does for a loop that sleeps: a signal that stays until it is taken.
class signal {
  public:
    /// Any thread.
    void raise() noexcept;
    /// Waits for it and takes it.
    void wait() noexcept;
    /// Takes it if it is there.
    bool take() noexcept;

  private:
    bool raised_ = false;
};

/// Passes what the thread did before `open` to whoever waits.
class gate {
  public:
    void open() noexcept;
    void wait() noexcept;

  private:
    bool open_ = false;
};

}  // namespace model
