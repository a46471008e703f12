// One measurement in a process of its own: nothing of it is left for the next one, it can be ended
// from outside, and what goes wrong in it is a sentence here.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace upcall_lab {

using samples = std::vector<double>;

struct child_limits {
    /// After so long it is ended, with everything that it started.
    double seconds = 60;
    /// Asked every tenth of a second: true ends it.
    std::function<bool()> is_over{};
};

/// Runs `what` in a child process and waits. What it returns, or what it threw, in words; also
/// when it was killed or took too long. The calling process must have one thread.
std::expected<samples, std::string> in_child(const std::function<samples()>& what,
                                             const child_limits& limits);

/// A child that runs beside its parent, which is killed with it and ends it with the object.
class side_process {
  public:
    /// Forks; `what` runs in the new process, which then exits. Throws lab_error.
    explicit side_process(const std::function<void()>& what);
    side_process(const side_process&) = delete;
    side_process& operator=(const side_process&) = delete;
    ~side_process();

    int id() const noexcept { return id_; }
    /// Throws lab_error, with what it said before, if it has ended or does so in that time.
    void expect_alive(int wait_ms);

  private:
    int id_ = -1;
    int said_ = -1;
};

/// Ends a side process, from any of its threads, with a sentence for its parent. Nothing is
/// destroyed: threads may be running.
[[noreturn]] void give_up(const std::string& why) noexcept;

}  // namespace upcall_lab
