// The fixture of every conformance case: a loop over the driver under test, and what has to hold
// when a case has ended, whatever it was about:
//
//   - no operation is left in any context, and no task;
//   - every buffer is back in its pool, save for what the driver keeps in stock;
//   - a loop with nothing to do waits, instead of turning;
//   - as many descriptors are open as before.
//
// That an operation completes once and not twice is asserted by `operation` itself, in every build.
//
//     TEST_P(every_kernel, B1_a_refused_connection_is_reported) {
//         run([&]() -> task<> { … co_await …; });
//     }
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <upcall/driver/sim_kernel.hpp>
#include <upcall/upcall.hpp>

#include "conformance/subject.hpp"

namespace upcall::test {

class mortal_disk;
class stalling_files;

class conformance_case : public testing::TestWithParam<subject> {
  protected:
    void SetUp() override;
    void TearDown() override;

    loop& home() noexcept { return *home_; }

    /// Whether the driver is the named one, with whatever left out.
    bool runs_on(std::string_view driver_name) { return home_->via().name() == driver_name; }

    /// A further loop over the same driver, on the calling thread. Throws what `make` refused with.
    std::unique_ptr<loop> another_loop(loop_options options = small_loop());

    /// Destroys the loop and makes another, with other options.
    void renew_loop(loop_options options, const uring_options* uring = nullptr);

    /// Runs `body`, a coroutine lambda, and all it spawned to their end. What it throws fails the
    /// test.
    template <class Body>
    void run(Body body) {
        run_task(body());
    }
    void run_task(task<> body);

    /// Runs `body` in a child process, which has a loop of its own and may do what cannot be
    /// undone. `prepare` comes before that loop is made; what it returns, if anything, is the
    /// reason why this host cannot show the case, and skips it. POSIX only.
    void in_child(const std::function<void()>& body,
                  const std::function<std::string()>& prepare = {});

    /// Runs `body` in a child whose `path` names a file that answers when it is told to, and takes
    /// down the loop and then the file. POSIX only.
    void with_stalling_files(
        const std::function<void(stalling_files& files, const std::string& path)>& body);

    /// Runs `body` in a child in whose `folder` 20 MB can be written but not made durable. POSIX
    /// only.
    void with_thin_disk(const std::function<void(const std::string& folder)>& body);

    /// Runs `body` in a child that has a disk whose power can be cut; on the simulated kernel here,
    /// once for each of some seeds. POSIX only.
    void with_mortal_disk(const std::function<void(mortal_disk& disk)>& body);

    /// Turns the loop, waiting between turns, until `holds()`.
    template <class Holds>
    void turn_until(Holds holds) {
        home_->run_until(holds);
    }

    /// A path that names nothing yet, in this test's own folder, which is removed afterwards.
    std::string scratch(const std::string& name);

    /// Descriptors that are open in this process, or in the simulated kernel; of `kind`: those
    /// whose name in /proc begins so. A driver may open some of its own as it goes, but no sockets.
    /// 0 on Windows, where they cannot be counted.
    std::size_t open_descriptors(std::string_view kind = {}) const;
    std::size_t open_sockets() const { return open_descriptors("socket:"); }

    /// What the pool lent out, without what the driver has in stock.
    std::size_t buffers_lent() {
        return home_->buffers().outstanding() - home_->via().buffers_in_stock();
    }

    /// Destroys the loop now. Nothing but open_descriptors is checked afterwards.
    void end_loop() { home_.reset(); }

    static loop_options small_loop();

  private:
    void with_simulated_disks(const std::function<void(mortal_disk& disk)>& body);
    void check_that_nothing_is_left();
    void check_that_it_waits();
    void count_descriptors_before();
    void await_descriptors();
    void check_loop() {
        check_that_nothing_is_left();
        check_that_it_waits();
    }
    int be_the_child(const std::function<void()>& body, const std::function<std::string()>& prepare,
                     std::string& message);

    std::unique_ptr<sim_kernel> kernel_;
    std::unique_ptr<loop> home_;
    std::size_t descriptors_before_ = 0;
    std::string folder_;
};

/// For cases that use nothing of the platform: also on the simulated kernel.
class every_kernel : public conformance_case {};

/// For cases about real sockets and files.
class every_driver : public conformance_case {};

/// For those that the simulated kernel can show as well, but Windows cannot.
class every_driver_and_sim : public conformance_case {};

/// As every_driver, for cases of connections, streams, files and cancellation, which also run on
/// `uring` with each of its optional features left out, one at a time.
class every_form : public conformance_case {};

/// The same four for cases of files: also on epoll with each file engine in place of the pool.
class every_kernel_with_files : public conformance_case {};
class every_driver_with_files : public conformance_case {};
class every_driver_and_sim_with_files : public conformance_case {};
class every_form_with_files : public conformance_case {};

}  // namespace upcall::test

/// Ends the test as skipped on this driver. The reason has to say what the driver cannot do.
#define UPCALL_SKIP(reason) GTEST_SKIP() << GetParam().name << ": " << (reason)

/// The same inside a coroutine.
#define UPCALL_SKIP_IN_TASK(reason)                          \
    do {                                                     \
        GTEST_MESSAGE_("", ::testing::TestPartResult::kSkip) \
            << GetParam().name << ": " << (reason);          \
        co_return;                                           \
    } while (false)

/// EXPECT_TRUE that ends the coroutine it stands in.
#define CO_ASSERT(condition)                          \
    do {                                              \
        if (!(condition)) {                           \
            ADD_FAILURE() << "not true: " #condition; \
            co_return;                                \
        }                                             \
    } while (false)
