// A program that writes under load is killed (SIGKILL) at a moment nobody chose, again and again,
// on the disk that the build is on: all that it had acknowledged is in the file, whole and in
// order. Ten rounds per driver; two hundred where the environment says UPCALL_SOAK=1.
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <upcall/pool/blocking_pool.hpp>
#include <upcall/upcall.hpp>

#include "support/loop_test.hpp"
#include "support/tree.hpp"

namespace upcall::testing {
namespace {

namespace fs = std::filesystem;

using number = std::uint64_t;

constexpr number side_by_side = 16;
constexpr int rounds_per_file = 10;  // or checking them would be the most of the work

int rounds() { return std::getenv("UPCALL_SOAK") ? 200 : 10; }

/// A record that can be told from every other, and from a part of one.
std::string record_of(number which) {
    std::string text = "record " + std::to_string(which) + ":";
    const std::uint32_t drawn = static_cast<std::uint32_t>(which) * 2654435761U;
    text.append(50 + drawn % 4000, static_cast<char>('a' + which % 26));
    return text + "\n";
}

std::string content_of(const std::string& name) {
    std::ifstream from(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
}

/// A folder beside the build, as memory is no disk: /tmp may be in it.
class disk_folder {
  public:
    disk_folder() : path_(std::string(test::binary_dir) + "/kills-" + std::to_string(::getpid())) {
        fs::create_directory(path_);
    }
    disk_folder(const disk_folder&) = delete;
    disk_folder& operator=(const disk_folder&) = delete;
    ~disk_folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

/// Where a child says what it acknowledges.
class acknowledgements {
  public:
    explicit acknowledgements(int to) : to_(to) {}
    void say(number which) const {
        if (::write(to_, &which, sizeof which) != sizeof which) ::_exit(3);  // nobody listens
    }

  private:
    int to_;
};

using program_body = std::function<task<>(const acknowledgements& to)>;

[[noreturn]] void be_the_child(const std::string& driver_name, pid_t parent, int to,
                               const program_body& body) {
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (::getppid() != parent) ::_exit(4);
    blocking_pool pool;  // the parent's threads are not here
    auto home = loop::create(
        [&](driver_environment lent) {
            lent.pool = &pool;
            return make_driver({.name = driver_name, .uring = {}}, lent);
        },
        small_loop());
    if (!home) ::_exit(5);
    const acknowledgements acknowledged(to);
    scope tasks((*home)->root());
    tasks.spawn_now(body(acknowledged), "program");
    while (tasks.size() > 0) (*home)->turn(loop::wait::allowed);
    ::_exit(6);  // it should have been killed
}

/// Runs `body` on a loop of a new process, kills it once it has acknowledged `enough`, and returns
/// all that it had acknowledged by then.
std::vector<number> killed_after(std::size_t enough, const std::string& driver_name,
                                 const program_body& body) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        be_the_child(driver_name, parent, ends[1], body);
    }
    ::close(ends[1]);
    std::vector<number> all;
    number one = 0;
    ssize_t got = 0;
    // A pipe hands over 8 bytes that were written at once, at once (PIPE_BUF).
    while ((got = ::read(ends[0], &one, sizeof one)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        EXPECT_EQ(got, ssize_t{sizeof one});
        if (got != ssize_t{sizeof one}) break;
        all.push_back(one);
        if (all.size() == enough) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
    EXPECT_GE(all.size(), enough);
    return all;
}

task<> commit_on(ordered_writer& log, number& next, const acknowledgements& to) {
    for (;;) {
        const number mine = next++;
        const std::string record = record_of(mine);
        const auto added = co_await log.commit(bytes_of(record));
        if (!added) ::_exit(7);
        to.say(mine);
    }
}

task<> write_log(std::string name, number first, const acknowledgements& to) {
    auto log = co_await ordered_writer::open(name);
    if (!log) ::_exit(8);
    number next = first;
    co_await with_scope([&](scope& committers) -> task<> {
        for (number count = 0; count < side_by_side; ++count)
            committers.spawn_now(commit_on(*log, next, to), "committer");
        co_return;
    });
}

task<> replace_file(std::string name, number first, const acknowledgements& to) {
    for (number version = first;; ++version) {
        const std::string content = record_of(version);
        const auto saved = co_await atomic_replace(name, bytes_of(content));
        if (!saved) ::_exit(9);
        to.say(version);
    }
}

class killed_program : public ::testing::TestWithParam<std::string> {
  protected:
    /// Different in each round, the same in each run.
    std::size_t enough() {
        state_ = state_ * 1664525U + 1013904223U;
        return 1 + (state_ >> 16) % 200;
    }
    const disk_folder folder_;

  private:
    std::uint32_t state_ = 7;
};
INSTANTIATE_TEST_SUITE_P(drivers, killed_program, ::testing::ValuesIn(tested_kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(killed_program, has_every_record_that_it_acknowledged) {
    const std::string name = folder_ / "log";
    number whole = 0;
    for (int round = 0; round < rounds(); ++round) {
        if (round % rounds_per_file == 0) {
            fs::remove(name);
            whole = 0;
        }
        const number first = whole;
        const auto told = killed_after(
            enough(), GetParam(),
            [&](const acknowledgements& to) -> task<> { return write_log(name, first, to); });
        ASSERT_FALSE(told.empty()) << "in round " << round;
        const std::string found = content_of(name);
        std::size_t end = 0;
        whole = 0;
        for (std::string next = record_of(0); found.compare(end, next.size(), next) == 0;) {
            end += next.size();
            next = record_of(++whole);
        }
        ASSERT_LT(*std::ranges::max_element(told), whole)
            << "an acknowledged record is lost, in round " << round << ", of " << told.size();
        ASSERT_GE(whole, first) << "what was whole before is not";
        // The rest was never acknowledged: what a program does when it starts again.
        fs::resize_file(name, end);
    }
}

TEST_P(killed_program, has_a_version_no_older_than_it_acknowledged) {
    const std::string name = folder_ / "settings";
    number first = 0;
    for (int round = 0; round < rounds(); ++round) {
        const auto told = killed_after(
            1 + enough() % 20, GetParam(),
            [&](const acknowledgements& to) -> task<> { return replace_file(name, first, to); });
        ASSERT_FALSE(told.empty()) << "in round " << round;
        const std::string found = content_of(name);
        number version = told.back();
        if (found != record_of(version)) ++version;  // replaced, and not acknowledged any more
        ASSERT_EQ(found, record_of(version)) << "in round " << round;
        first = version + 1;
    }
}

}  // namespace
}  // namespace upcall::testing
