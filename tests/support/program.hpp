// A program of this build as a process of its own: what it prints is read line by line, and it is
// ended and awaited in any case. POSIX only.
//
//     program server("echo_server", {"--listen", "127.0.0.1:0"});
//     const std::string where = server.line_after("listening on ");
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/tree.hpp"

namespace upcall::testing {

/// The end of a pipe that a program writes to.
class program_output {
  public:
    explicit program_output(int from) : from_(from) {}
    program_output(const program_output&) = delete;
    program_output& operator=(const program_output&) = delete;
    ~program_output() { ::close(from_); }

    /// The next line, without its end; empty at the end of the output, or when a program that
    /// hangs has said nothing for a minute.
    std::string line() {
        std::string text;
        for (char one = 0; something_comes() && ::read(from_, &one, 1) == 1 && one != '\n';)
            text += one;
        return text;
    }
    /// Everything up to the end of the output.
    std::string rest() {
        std::string text;
        char some[4096];
        for (ssize_t got = 0; something_comes() && (got = ::read(from_, some, sizeof some)) > 0;)
            text.append(some, static_cast<std::size_t>(got));
        return text;
    }

  private:
    bool something_comes() {
        pollfd interest{from_, POLLIN, 0};
        const bool comes = ::poll(&interest, 1, 60'000) > 0;
        EXPECT_TRUE(comes) << "the program has said nothing for a minute";
        return comes;
    }

    int from_;
};

struct program_options {
    /// Called in the new process before the program is: for limits and filters. False ends it.
    std::function<bool()> before{};
    /// Whether `errors` gets its standard error, which otherwise is the test's own.
    bool read_errors = false;
};

class program {
  public:
    /// Starts build/bin/`name`, or what a path from the root names, with its standard input and
    /// output on pipes of ours.
    program(const std::string& name, std::vector<std::string> words,
            const program_options& options = {})
        : program(name, std::move(words), options, make_pipe(), make_pipe(), make_pipe()) {}
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    ~program() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
        end_input();
    }

    std::string line() { return output_.line(); }
    std::string rest() { return output_.rest(); }
    /// What follows `before` in the next line.
    std::string line_after(const std::string& before) {
        const std::string text = line();
        const auto at = text.find(before);
        EXPECT_NE(at, text.npos) << "\"" << text << "\" has no \"" << before << "\"";
        return at == text.npos ? text : text.substr(at + before.size());
    }
    /// With `read_errors`. To be read when there is little of it, or after the end.
    program_output& errors() { return errors_; }

    void say(const std::string& text) {
        std::size_t said = 0;
        while (said < text.size()) {
            const ssize_t count = ::write(to_, text.data() + said, text.size() - said);
            if (count < 0 && errno == EINTR) continue;
            ASSERT_GT(count, 0) << "after " << said << " bytes: " << std::strerror(errno);
            said += static_cast<std::size_t>(count);
        }
    }
    void end_input() {
        if (to_ >= 0) ::close(to_);
        to_ = -1;
    }

    pid_t pid() const { return pid_; }
    void ask(int signal_number) { ::kill(pid_, signal_number); }

    /// Whether it has not ended yet.
    bool runs() const {
        siginfo_t end{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               end.si_pid == 0;
    }

    /// Waits for its end: the status, or minus the signal that killed it.
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

  private:
    /// Lets the calling process be killed with the thread that started it, so that nothing is left
    /// of a test that was killed. False: that one is gone already.
    static bool ends_with([[maybe_unused]] pid_t parent) {
#ifdef __linux__
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        return ::getppid() == parent;
    }

    struct pipe_ends {
        int from;
        int to;
    };
    static pipe_ends make_pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
        return {ends[0], ends[1]};
    }

    program(const std::string& name, std::vector<std::string> words, const program_options& options,
            pipe_ends in, pipe_ends out, pipe_ends err)
        : to_(in.to), output_(out.from), errors_(err.from) {
        const std::string folder =
            name.starts_with('/') ? std::string() : std::string(test::binary_dir) + "/bin/";
        words.insert(words.begin(), folder + name);
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ == 0) {
            if (!ends_with(parent)) ::_exit(127);
            ::dup2(in.from, 0);
            ::dup2(out.to, 1);
            if (options.read_errors) ::dup2(err.to, 2);
            if (!options.before || options.before()) ::execv(arguments[0], arguments.data());
            ::_exit(127);
        }
        EXPECT_GT(pid_, 0);
        ::close(in.from);
        ::close(out.to);
        ::close(err.to);
    }

    pid_t pid_ = -1;
    int to_ = -1;
    program_output output_;
    program_output errors_;
};

}  // namespace upcall::testing
