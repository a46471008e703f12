#include "conformance/fixture.hpp"

#include <cstdio>
#include <filesystem>
#include <thread>

#include <upcall/runtime/program.hpp>

#ifndef _WIN32
#include "support/child.hpp"
#endif

namespace upcall::test {
namespace {

namespace fs = std::filesystem;

// A loop that waits turns once per event; one that spins turns thousands of times in this while.
constexpr duration idle_while = std::chrono::milliseconds(5);
constexpr std::uint64_t idle_turns_max = 16;

constexpr int skip_code = 77;  // how a child says that the host cannot show the case

/// Descriptors of this process, or those that the system calls by a name beginning with `kind`.
std::size_t count_descriptors([[maybe_unused]] std::string_view kind) {
    std::size_t count = 0;
#ifndef _WIN32  // which opens and closes handles for itself as it likes
    std::error_code missing;
    for (fs::directory_iterator at("/proc/self/fd", missing), end; !missing && at != end;
         at.increment(missing)) {
        std::error_code gone;
        if (kind.empty() || fs::read_symlink(at->path(), gone).string().starts_with(kind)) ++count;
    }
#endif
    return count;
}

std::string describe(const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::bad_expected_access<std::error_code>& missing) {
        return "an error: " + missing.error().message();
    } catch (const std::exception& thrown) {
        return thrown.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

}  // namespace

loop_options conformance_case::small_loop() {
    loop_options options;
    options.buffers.small_count = 512;
    options.buffers.large_count = 32;
    return options;
}

void conformance_case::SetUp() {
    if (GetParam().simulated) kernel_ = std::make_unique<sim_kernel>();
    try {
        count_descriptors_before();
        home_ = another_loop();
    } catch (const std::system_error& refused) {
        GTEST_SKIP() << GetParam().name << ": this host has no such driver: " << refused.what();
    }
}

/// libkqueue opens descriptors of its own with the first queue, and may close them with the last,
/// at some time: in the middle of the next case. So one queue stays as long as the process does.
void conformance_case::count_descriptors_before() {
    if (GetParam().name == "kqueue") {
        static loop& standing = *another_loop().release();
        static_cast<void>(standing);
    }
    descriptors_before_ = open_descriptors();
}

/// It closes those of a queue later, on a thread of its own.
void conformance_case::await_descriptors() {
    if (GetParam().name != "kqueue") return;
    for (int looks = 0; open_descriptors() > descriptors_before_ && looks < 5000; ++looks)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::unique_ptr<loop> conformance_case::another_loop(loop_options options) {
    selection_report report;
    auto made = loop::create(
        [&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
            if (kernel_) return make_sim_driver(*kernel_, lent);
            return make_driver(GetParam().choice, lent, &report);
        },
        std::move(options));
    if (!made) throw std::system_error(made.error(), report.to_string());
    // Without the file engine that was asked for it is another driver's case.
    if (GetParam().choice.name.contains('+') && !report.refused.empty())
        throw std::system_error(errc::unsupported, report.to_string());
    return std::move(*made);
}

void conformance_case::renew_loop(loop_options options, const uring_options* uring) {
    home_.reset();
    driver_choice choice = GetParam().choice;
    if (uring) choice.uring = *uring;
    auto made = loop::create(
        [&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
            if (kernel_) return make_sim_driver(*kernel_, lent);
            return make_driver(choice, lent);
        },
        std::move(options));
    home_ = std::move(made.value());
}

void conformance_case::run_task(task<> body) {
    program running(*home_);
    running.tasks().spawn_now(std::move(body), "case");
    if (const std::exception_ptr why = running.run()) ADD_FAILURE() << "thrown: " << describe(why);
}

std::string conformance_case::scratch(const std::string& name) {
    if (kernel_) return "/" + name;
    if (folder_.empty()) {
        // One folder per test: they run side by side.
        std::string mine = testing::UnitTest::GetInstance()->current_test_info()->name();
        for (char& c : mine)
            if (c == '/') c = '-';
        const auto moment = std::chrono::steady_clock::now().time_since_epoch().count();
        folder_ =
            (fs::path(testing::TempDir()) / ("upcall-" + mine + std::to_string(moment))).string();
        fs::create_directories(folder_);
    }
    return (fs::path(folder_) / name).string();
}

std::size_t conformance_case::open_descriptors(std::string_view kind) const {
    return kernel_ ? kernel_->open_descriptors() : count_descriptors(kind);
}

void conformance_case::check_that_nothing_is_left() {
    // Handles that were closed with an operation in flight are gone when that has ended.
    home_->run_until([this] {
        return home_->background().operations().empty() && home_->root().operations().empty();
    });
    home_->run_ready();  // a turn that took long leaves some to the next
    EXPECT_TRUE(home_->root().children().empty()) << "tasks or scopes are left";
    EXPECT_FALSE(home_->alive());
    EXPECT_EQ(buffers_lent(), 0U) << "buffers that are not back in their pool";
}

void conformance_case::check_that_it_waits() {
    std::uint64_t turns = idle_turns_max + 1;
    // Answers of the kernel to what was cancelled may still come in the first of these.
    for (int look = 0; look < 3 && turns > idle_turns_max; ++look)
        run([&]() -> task<> {
            const std::uint64_t before = home().turns();
            static_cast<void>(co_await sleep(idle_while));
            turns = home().turns() - before;
        });
    EXPECT_LE(turns, idle_turns_max) << "turns of a loop that had nothing to do";
}

#ifndef _WIN32

int conformance_case::be_the_child(const std::function<void()>& body,
                                   const std::function<std::string()>& prepare,
                                   std::string& message) {
    static_cast<void>(home_.release());  // the parent's, which goes on with it
    if (prepare) message = prepare();
    if (!message.empty()) return skip_code;
    home_ = another_loop();
    body();
    if (home_) check_loop();
    home_.reset();
    std::fflush(nullptr);
    return HasFailure() ? 1 : 0;
}

void conformance_case::in_child(const std::function<void()>& body,
                                const std::function<std::string()>& prepare) {
    static_cast<void>(scratch(""));  // made by the parent, which removes it
    const child_end end =
        run_in_child([&](std::string& message) { return be_the_child(body, prepare, message); });
    if (end.exit_code == skip_code) GTEST_SKIP() << GetParam().name << ": " << end.message;
    EXPECT_TRUE(end.succeeded()) << end;
}

#endif

void conformance_case::TearDown() {
    if (home_) {
        check_loop();
        home_.reset();
    }
    await_descriptors();
    EXPECT_EQ(open_descriptors(), descriptors_before_) << "descriptors left open, or closed";
    if (!folder_.empty()) fs::remove_all(folder_);
}

namespace {

std::string name_of(const testing::TestParamInfo<subject>& one) { return one.param.name; }

}  // namespace

INSTANTIATE_TEST_SUITE_P(on, every_kernel, testing::ValuesIn(all_kernels()), name_of);
INSTANTIATE_TEST_SUITE_P(on, every_form, testing::ValuesIn(forms_of_host_drivers()), name_of);
INSTANTIATE_TEST_SUITE_P(on, every_driver, testing::ValuesIn(host_drivers()), name_of);
INSTANTIATE_TEST_SUITE_P(on, every_driver_and_sim, testing::ValuesIn(with_sim(host_drivers())),
                         name_of);

INSTANTIATE_TEST_SUITE_P(on, every_kernel_with_files,
                         testing::ValuesIn(with_file_engines(all_kernels())), name_of);
INSTANTIATE_TEST_SUITE_P(on, every_form_with_files,
                         testing::ValuesIn(with_file_engines(forms_of_host_drivers())), name_of);
INSTANTIATE_TEST_SUITE_P(on, every_driver_with_files,
                         testing::ValuesIn(with_file_engines(host_drivers())), name_of);
INSTANTIATE_TEST_SUITE_P(on, every_driver_and_sim_with_files,
                         testing::ValuesIn(with_file_engines(with_sim(host_drivers()))), name_of);

// Windows has none of these.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(every_driver);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(every_driver_and_sim);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(every_form);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(every_driver_with_files);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(every_driver_and_sim_with_files);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(every_form_with_files);

}  // namespace upcall::test
