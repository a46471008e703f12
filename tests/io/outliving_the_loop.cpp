// Streams, listeners and files in an object that was made before the loop and goes after it.
#include <upcall/io/file.hpp>
#include <upcall/task/this_task.hpp>

#include <optional>

#include "pairs.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

class outliving : public ::testing::TestWithParam<std::string> {};
UPCALL_FOR_EVERY_LOOP(outliving);

struct owner {
    std::optional<tcp::listener> listener;
    tcp::stream ours;
    tcp::stream theirs;
    file log;
};

task<> fill(owner& all, std::string path) {
    all.listener.emplace(tcp::listener::bind("127.0.0.1:0").value());
    all.ours = (co_await tcp::connect(all.listener->local_address().value())).value();
    all.theirs = (co_await all.listener->accept()).value();
    all.log = (co_await file::open(std::move(path), open_write | open_create)).value();
    // With a receive that stays armed, and something received that nobody asks for.
    for (int i = 0; i < 40; ++i) {
        EXPECT_TRUE(co_await all.theirs.write_all(bytes_of("x")));
        EXPECT_TRUE(co_await all.ours.receive());
    }
    EXPECT_TRUE(co_await all.theirs.write_all(bytes_of("y")));
    for (int i = 0; i < 10; ++i) co_await yield();
}

// Went wrong: it crashed.
TEST_P(outliving, a_loop_is_reported_and_everything_is_closed_all_the_same) {
    const scratch_folder folder;
    auto home = make_test_loop(GetParam());
    ASSERT_TRUE(home);
    owner all;
    run_task(*home, fill(all, folder / "log"));
    ::testing::internal::CaptureStderr();
    home.reset();
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("4 streams, listeners or files"),
              std::string::npos);
    const std::size_t before = open_descriptors().size();
    all.theirs = {};
    all.ours = {};
    all.listener.reset();
    all.log = {};
    EXPECT_EQ(open_descriptors().size(), before - 4);
}

}  // namespace
}  // namespace upcall::testing
