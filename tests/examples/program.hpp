// An example as a process of its own: what it prints is read line by line, and it is ended and
// awaited in any case.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

extern char** environ;

namespace upcall::testing {

class program {
  public:
    /// Starts build/bin/`name` with its standard input and output on pipes of ours.
    program(const std::string& name, std::vector<std::string> words) {
        int in[2];
        int out[2];
        if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) std::abort();
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        words.insert(words.begin(), std::string(UPCALL_BINARY_DIR "/bin/") + name);
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int refused =
            ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
        EXPECT_EQ(refused, 0) << words[0];
        if (refused != 0) pid_ = -1;
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(in[0]);
        ::close(out[1]);
        to_ = in[1];
        from_ = out[0];
    }
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    ~program() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
        end_input();
        ::close(from_);
    }

    /// The next line, without its end; empty at the end of the output.
    std::string line() {
        std::string text;
        for (char one = 0; ::read(from_, &one, 1) == 1 && one != '\n';) text += one;
        return text;
    }
    /// Everything up to the end of the output.
    std::string rest() {
        std::string text;
        char some[4096];
        for (ssize_t got = 0; (got = ::read(from_, some, sizeof some)) > 0;)
            text.append(some, static_cast<std::size_t>(got));
        return text;
    }
    /// What follows `before` in the next line.
    std::string line_after(const std::string& before) {
        const std::string text = line();
        const auto at = text.find(before);
        EXPECT_NE(at, text.npos) << text;
        return at == text.npos ? text : text.substr(at + before.size());
    }

    void say(const std::string& text) {
        EXPECT_EQ(::write(to_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    void end_input() {
        if (to_ >= 0) ::close(to_);
        to_ = -1;
    }

    void ask(int signal_number) { ::kill(pid_, signal_number); }

    /// Waits for its end: the status, or minus the signal that killed it.
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

  private:
    pid_t pid_ = -1;
    int to_ = -1;
    int from_ = -1;
};

}  // namespace upcall::testing
