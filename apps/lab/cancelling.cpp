#include "lab/cancelling.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <upcall/base/aligned_buffer.hpp>
#include <upcall/io/file.hpp>
#include <upcall/io/pipe.hpp>
#include <upcall/os/thread.hpp>
#include <upcall/runtime/run.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>

#include "lab/clocks.hpp"
#include "lab/findings.hpp"
#include "lab/owned_fd.hpp"
#include "lab/run.hpp"
#include "lab/scratch.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

/// From the start of an operation until its value: time for the loop to fall asleep.
constexpr double value_after_ns = 60e3;
constexpr std::size_t read_bytes = 4096;

/// What the loop's thread and the racing one share.
struct track {
    const race_plan& plan;
    upcall::loop* home = nullptr;
    int writer = -1;
    // Of the loop's thread alone:
    upcall::event* happened = nullptr;  // set once value and cancellation were brought about
    upcall::started* running = nullptr;
    unsigned awaited = 0;  // calls from the racing thread that have not come yet
    std::atomic<unsigned> turn{0};
    std::atomic<bool> over{false};
};

void arrive(track& on) {
    if (--on.awaited == 0) on.happened->set();
}

void write_byte(const track& on) noexcept {
    if (on.plan.what == raced::pipe_read) static_cast<void>(!::write(on.writer, "x", 1));
}

void ask_to_end(track& on) noexcept {
    on.home->post([&on] {
        on.running->cancel();
        arrive(on);
    });
}

/// Makes value and cancellation happen in the order and at the distance that the plan says.
void race(void* argument) noexcept {
    settle_on_core(loading_core);
    track& on = *static_cast<track*>(argument);
    for (unsigned seen = 0;; ++seen) {
        on.turn.wait(seen);
        if (on.over.load()) return;
        const double start = now_ns();
        const double value = start + (on.plan.what == raced::direct_read ? 0 : value_after_ns);
        const double cancel = value + on.plan.delay_ns;
        if (cancel < value) {
            spin_until(cancel);
            ask_to_end(on);
            spin_until(value);
            write_byte(on);
            on.home->post([&on] { arrive(on); });
        } else {
            // No word of the value to the loop: it has to find that out by itself.
            spin_until(value);
            write_byte(on);
            spin_until(cancel);
            ask_to_end(on);
        }
    }
}

struct trial_end {
    unsigned outcomes = 0;
    bool cancelled = false;
    std::error_code failure;
};

template <class T>
void note_end(trial_end& end, const upcall::result<T>& outcome) {
    ++end.outcomes;
    if (outcome) return;
    if (outcome.error() == upcall::errc::cancelled)
        end.cancelled = true;
    else
        end.failure = outcome.error();
}

class racing {
  public:
    explicit racing(const race_plan& plan) : on_{.plan = plan} {}

    upcall::task<> run() {
        upcall::loop& home = co_await upcall::this_task::home();
        on_.home = &home;
        const bool is_open = co_await open();
        if (!is_open) co_return;
        auto helper = upcall::os_thread::start(race, &on_, {.name = "race", .stack_bytes = 0});
        if (!helper) {
            failure = "no thread could be started: " + helper.error().message();
            co_return;
        }
        for (unsigned count = 0; count < on_.plan.trials && failure.empty(); ++count)
            co_await run_trial();
        on_.over.store(true);
        on_.turn.fetch_add(1);
        on_.turn.notify_one();
        helper->join();
        // Before their loop ends.
        reader_ = upcall::byte_stream();
        file_ = upcall::file();
    }

    race_outcome seen;
    std::string failure;

  private:
    upcall::task<bool> open() {
        if (on_.plan.what == raced::pipe_read) {
            std::array<int, 2> ends{};
            if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
                failure = failed("open a pipe", errno);
                co_return false;
            }
            writer_ = owned_fd(ends[1]);
            on_.writer = ends[1];
            auto adopted = upcall::pipe::adopt(ends[0]);
            if (!adopted) failure = "cannot use a pipe: " + adopted.error().message();
            if (adopted) reader_ = std::move(*adopted);
        } else if (on_.plan.what == raced::direct_read) {
            auto opened = co_await upcall::file::open(path_of(on_.plan.file),
                                                      upcall::open_read | upcall::open_direct);
            if (!opened) failure = "the file could not be opened: " + opened.error().message();
            if (opened) file_ = std::move(*opened);
        }
        const bool is_open = failure.empty();
        co_return is_open;
    }

    upcall::task<> run_trial() {
        trial_end end;
        upcall::event happened;
        on_.happened = &happened;
        on_.awaited = on_.plan.delay_ns < 0 ? 2 : 1;
        const auto body = [&](upcall::scope& in) -> upcall::task<> {
            upcall::started running = begin(in, end);
            on_.running = &running;
            on_.turn.fetch_add(1);
            on_.turn.notify_one();
            const auto both = co_await happened.wait();
            if (!both) failure = "waiting was ended from outside";
            co_await in.join();
        };
        co_await upcall::with_scope(body);
        ++seen.trials;
        if (end.outcomes != 1) ++seen.twice;
        if (end.failure) failure = "an operation failed: " + end.failure.message();
        if (!end.cancelled) co_return;
        ++seen.cancelled;
        if (on_.plan.what != raced::pipe_read) co_return;
        // Cancelled means that nothing happened: the byte, which was written by now, is there, and
        // what can be done at once is never late.
        std::array<std::byte, 1> byte{};
        const auto kept = co_await upcall::timeout(std::chrono::seconds(5), reader_.read(byte));
        if (!kept) ++seen.lost;
    }

    upcall::started begin(upcall::scope& in, trial_end& end) {
        switch (on_.plan.what) {
            case raced::timer:
                return upcall::start(
                    in, upcall::sleep(std::chrono::nanoseconds(static_cast<long>(value_after_ns))),
                    [&end](const upcall::result<void>& outcome) { note_end(end, outcome); });
            case raced::direct_read:
                random_ = random_ * 6364136223846793005U + 1442695040888963407U;
                return upcall::start(
                    in,
                    file_.read_at(buffer_.span(), (random_ >> 33) % on_.plan.blocks * read_bytes),
                    [&end](const upcall::result<std::size_t>& outcome) { note_end(end, outcome); });
            case raced::pipe_read:
                break;
        }
        return upcall::start(
            in, reader_.read(byte_),
            [&end](const upcall::result<std::size_t>& outcome) { note_end(end, outcome); });
    }

    track on_;
    owned_fd writer_;
    upcall::byte_stream reader_;
    upcall::file file_;
    upcall::aligned_buffer buffer_{read_bytes, read_bytes};
    std::array<std::byte, 1> byte_{};
    std::uint64_t random_ = 1;
};

}  // namespace

race_outcome race_cancellation(const race_plan& plan) {
    settle_on_core(measured_core);
    racing all(plan);
    upcall::run_options how;
    how.driver.name = plan.driver;
    how.handle_signals = false;
    // On a busy machine the other thread may be late: that is no deadlock.
    how.deadlocked = [](const upcall::deadlock&) {};
    const int status = upcall::run(all.run(), how);
    if (!all.failure.empty()) throw lab_error(all.failure);
    if (status != 0) throw lab_error("upcall could not run on " + plan.driver);
    return all.seen;
}

}  // namespace upcall_lab
