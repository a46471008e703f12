// Runs part of a test in a child process: for what cannot be undone (filters, limits, users) and
// for what may end the process. POSIX only.
//
//     const auto end = run_in_child([](std::string& message) {
//         message = "seen by the parent";
//         return 0;
//     });
//     EXPECT_TRUE(end.succeeded()) << end;
#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <ostream>
#include <string>

namespace upcall::test {

/// How a child ended.
struct child_end {
    /// The body's value if it returned; 125 if it threw; -1 otherwise.
    int exit_code = -1;
    /// The signal that ended it; 0: none.
    int signal = 0;
    /// It outstayed its time and was killed.
    bool timed_out = false;
    /// What the body left in its argument, or what it threw.
    std::string message;

    bool succeeded() const noexcept { return exit_code == 0; }
    friend std::ostream& operator<<(std::ostream& out, const child_end& end) {
        return out << "child: exit code " << end.exit_code << ", signal " << end.signal
                   << (end.timed_out ? ", timed out" : "") << ", message: " << end.message;
    }
};

using child_body = std::function<int(std::string& message)>;

namespace child_detail {

inline void write_all(int fd, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
        if (count < 0 && errno != EINTR) return;
        if (count > 0) done += static_cast<std::size_t>(count);
    }
}

[[noreturn]] inline void be_the_child(int out, const child_body& body) {
    std::string message;
    int code = 125;
    try {
        code = body(message);
    } catch (const std::exception& thrown) {
        message += thrown.what();
    } catch (...) {
        message += "something thrown that is no std::exception";
    }
    write_all(out, message);
    // Nothing of the parent's runs again here: no destructors, no test summary, no leak check.
    ::_exit(code);
}

// False: the time was up before the child closed its end.
inline bool read_until_end(int fd, std::string& text, std::chrono::steady_clock::time_point until) {
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd interest{fd, POLLIN, 0};
        if (::poll(&interest, 1, static_cast<int>(left.count())) <= 0) continue;
        char piece[4096];
        const ssize_t count = ::read(fd, piece, sizeof piece);
        if (count == 0 || (count < 0 && errno != EINTR)) return true;
        if (count > 0) text.append(piece, static_cast<std::size_t>(count));
    }
}

}  // namespace child_detail

/// Forks, runs `body` in the child and waits for its end, for at most `limit`; then it is killed.
/// The calling process should have one thread. Assertions of the test framework do not reach the
/// parent: report through the message and the exit code.
inline child_end run_in_child(const child_body& body,
                              std::chrono::seconds limit = std::chrono::seconds(60)) {
    child_end end;
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) {
        end.message = "no pipe";
        return end;
    }
    std::fflush(nullptr);  // or the child may print it again
    const pid_t child = ::fork();
    if (child < 0) {
        ::close(pipe_ends[0]);
        ::close(pipe_ends[1]);
        end.message = "no child";
        return end;
    }
    if (child == 0) {
        ::close(pipe_ends[0]);
        child_detail::be_the_child(pipe_ends[1], body);
    }
    ::close(pipe_ends[1]);
    end.timed_out = !child_detail::read_until_end(pipe_ends[0], end.message,
                                                  std::chrono::steady_clock::now() + limit);
    ::close(pipe_ends[0]);
    if (end.timed_out) ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    return end;
}

}  // namespace upcall::test
