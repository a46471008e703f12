#include "lab/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>

#include "lab/findings.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

using steady = std::chrono::steady_clock;

/// Of a side process.
int line_to_parent = -1;

struct pipe_ends {
    int from = -1;
    int to = -1;
};

pipe_ends make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw lab_error(failed("open a pipe", errno));
    return {ends[0], ends[1]};
}

void write_whole(int fd, const void* data, std::size_t size) {
    const auto* from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t count = ::write(fd, from, size);
        if (count < 0 && errno != EINTR) return;
        if (count <= 0) continue;
        from += count;
        size -= static_cast<std::size_t>(count);
    }
}

/// Asks the kernel to kill the caller with its parent. False: that one is gone already.
bool end_with(pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return ::getppid() == parent;
}

void answer(int to, char kind, const void* data, std::size_t size) {
    write_whole(to, &kind, 1);
    write_whole(to, data, size);
}

[[noreturn]] void be_the_child(int to, pid_t parent, const std::function<samples()>& what) {
    // A group of its own: whoever ends it ends what it has started, too.
    ::setpgid(0, 0);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    if (!end_with(parent)) ::_exit(1);
    try {
        const samples found = what();
        answer(to, 'v', found.data(), found.size() * sizeof(double));
    } catch (const std::exception& thrown) {
        answer(to, 'e', thrown.what(), std::strlen(thrown.what()));
    }
    // No destructors of the parent's, whose files and terminal these are.
    ::_exit(0);
}

enum class reading { ended, late, interrupted };

reading read_all(int from, std::string& text, const child_limits& limits) {
    const auto until = steady::now() + std::chrono::duration<double>(limits.seconds);
    for (;;) {
        if (limits.is_over && limits.is_over()) return reading::interrupted;
        if (steady::now() >= until) return reading::late;
        pollfd interest{from, POLLIN, 0};
        if (::poll(&interest, 1, 100) <= 0) continue;
        std::array<char, 4096> piece{};
        const ssize_t count = ::read(from, piece.data(), piece.size());
        if (count == 0 || (count < 0 && errno != EINTR)) return reading::ended;
        if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
    }
}

int reap(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::expected<samples, std::string> understand(const std::string& text, int status) {
    if (WIFSIGNALED(status))
        return std::unexpected(std::string("the measuring process was ended by the signal ") +
                               ::strsignal(WTERMSIG(status)));
    if (text.empty()) return std::unexpected("the measuring process said nothing");
    if (text.front() == 'e') return std::unexpected(text.substr(1));
    samples found((text.size() - 1) / sizeof(double));
    if (!found.empty()) std::memcpy(found.data(), text.data() + 1, found.size() * sizeof(double));
    return found;
}

}  // namespace

std::expected<samples, std::string> in_child(const std::function<samples()>& what,
                                             const child_limits& limits) {
    pipe_ends line;
    try {
        line = make_pipe();
    } catch (const lab_error& error) {
        return std::unexpected(error.what());
    }
    std::fflush(nullptr);  // or the child may print it again
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(line.from);
        be_the_child(line.to, parent, what);
    }
    const int error = errno;
    ::close(line.to);
    if (child < 0) {
        ::close(line.from);
        return std::unexpected(failed("start a process", error));
    }
    ::setpgid(child, child);  // whichever of the two comes first
    std::string text;
    const reading end = read_all(line.from, text, limits);
    ::close(line.from);
    // Also what the child has left behind; it is dead or ends by itself otherwise.
    if (end != reading::ended) ::kill(-child, SIGKILL);
    const int status = reap(child);
    if (end == reading::interrupted) return std::unexpected("interrupted");
    if (end == reading::late)
        return std::unexpected("it did not end within " + in_digits(limits.seconds) + " s");
    return understand(text, status);
}

void give_up(const std::string& why) noexcept {
    write_whole(line_to_parent, why.data(), why.size());
    ::_exit(0);
}

side_process::side_process(const std::function<void()>& what) {
    const pipe_ends line = make_pipe();
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ == 0) {
        ::close(line.from);
        if (!end_with(parent)) ::_exit(1);
        line_to_parent = line.to;
        try {
            what();
        } catch (const std::exception& thrown) {
            give_up(thrown.what());
        }
        give_up("");
    }
    const int error = errno;
    ::close(line.to);
    said_ = line.from;
    if (id_ > 0) return;
    ::close(said_);
    throw lab_error(failed("start a process", error));
}

side_process::~side_process() {
    ::kill(id_, SIGKILL);
    reap(id_);
    ::close(said_);
}

void side_process::expect_alive(int wait_ms) {
    pollfd interest{said_, POLLIN, 0};
    if (::poll(&interest, 1, wait_ms) == 0) return;
    std::string text;
    read_all(said_, text, {.seconds = 1, .is_over = {}});
    throw lab_error(text.empty() ? "the process beside it has ended" : text);
}

}  // namespace upcall_lab
