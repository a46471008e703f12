// Files that a foreign loop of poll(2) reads by their descriptors, on every driver whose loop may
// be inside another.
#include <upcall/io/polled_file.hpp>

#include <poll.h>

#include <cerrno>
#include <fstream>

#include "io/pairs.hpp"
#include "support/embedded_loop.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

class polled_files : public io_test {
  protected:
    loop_options options() override { return embedded_loop(); }

    void TearDown() override {
        turn_until([this] { return tasks_->size() == 0; });
        tasks_.reset();
        io_test::TearDown();
    }
    void SetUp() override {
        io_test::SetUp();
        tasks_.emplace(home().root());
    }

    std::string written(const std::string& text) {
        std::ofstream(folder_ / "data", std::ios::binary) << text;
        return folder_ / "data";
    }

    polled_file begin(const std::string& name, polled_file_options how,
                      std::uint32_t mode = open_read) {
        return run_task(home(),
                        [](scope& in, std::string path, polled_file_options given,
                           std::uint32_t opened_how) -> task<polled_file> {
                            auto opened =
                                (co_await file::open(std::move(path), opened_how)).value();
                            co_return polled_file::start(in, std::move(opened), given).value();
                        }(*tasks_, name, how, mode));
    }

    static bool readable(const polled_file& data) {
        pollfd one{static_cast<int>(data.descriptor()), POLLIN, 0};
        return ::poll(&one, 1, 0) > 0;
    }

    /// One round of the foreign loop: waits for the file or for our loop, and turns that.
    void wait_for_either(const polled_file* data) {
        pollfd both[2] = {{static_cast<int>(home().native_handle().value()), POLLIN, 0},
                          {data ? static_cast<int>(data->descriptor()) : -1, POLLIN, 0}};
        const int limit = home().wait_milliseconds();
        const int found = ::poll(both, 2, limit < 0 ? 60'000 : limit);
        ASSERT_TRUE(found > 0 || limit >= 0 || errno == EINTR) << "nothing came for a minute";
        home().turn(loop::wait::none);
    }
    template <class Done>
    void turn_until(Done done) {
        while (!done() && !HasFatalFailure()) wait_for_either(nullptr);
    }

    struct outcome {
        std::string text;
        std::error_code end;
    };
    outcome read_all(polled_file& data) {
        outcome all;
        while (!HasFatalFailure()) {
            const auto chunk = data.next();
            if (chunk) {
                all.text += text_of(*chunk);
            } else if (chunk.error() == std::errc::operation_would_block) {
                EXPECT_FALSE(readable(data)) << "there was nothing";
                wait_for_either(&data);
            } else {
                EXPECT_TRUE(readable(data)) << "the end is to be seen as long as one likes";
                all.end = chunk.error();
                break;
            }
        }
        return all;
    }

    scope& tasks() { return *tasks_; }

  private:
    const scratch_folder folder_;
    std::optional<scope> tasks_;
};
// With UPCALL_TEST_DRIVER naming another.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(polled_files);
INSTANTIATE_TEST_SUITE_P(drivers, polled_files, ::testing::ValuesIn(embedded_kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(polled_files, come_in_order_and_whole) {
    const std::string text = pattern(1'000'003);
    const std::string name = written(text);
    for (const std::size_t depth : {std::size_t{1}, std::size_t{2}, std::size_t{32}}) {
        polled_file data = begin(name, {.chunk_bytes = 4096, .depth = depth});
        const outcome got = read_all(data);
        EXPECT_TRUE(got.text == text) << got.text.size();
        EXPECT_EQ(got.end, errc::end_of_stream);
        EXPECT_EQ(data.next().error(), errc::end_of_stream) << "and it stays so";
    }
}

TEST_P(polled_files, begin_where_they_are_told_and_may_be_shorter_than_a_chunk) {
    const std::string name = written("0123456789");
    polled_file tail = begin(name, {.chunk_bytes = 4096, .depth = 4, .from = 7});
    EXPECT_EQ(read_all(tail).text, "789");
    polled_file whole = begin(name, {.chunk_bytes = 5, .depth = 3});
    EXPECT_EQ(read_all(whole).text, "0123456789");
    polled_file beyond = begin(name, {.from = 11});
    EXPECT_EQ(read_all(beyond).text, "");
    polled_file empty = begin(written(""), {});
    EXPECT_EQ(read_all(empty).end, errc::end_of_stream);
}

TEST_P(polled_files, keep_as_many_reads_in_flight_as_were_asked_for) {
    const std::string name = written(pattern(100 * 4096));
    polled_file data = begin(name, {.chunk_bytes = 4096, .depth = 8});
    // Nobody takes anything: all eight end, and no further read begins.
    turn_until([&] { return data.in_flight() == 0; });
    EXPECT_TRUE(readable(data));
    for (int count = 0; count < 8; ++count) {
        ASSERT_TRUE(data.next());
        EXPECT_EQ(data.in_flight(), static_cast<std::size_t>(count))
            << "the chunk that was just handed out is in nobody's hands but ours";
    }
    EXPECT_EQ(data.next().error(), std::errc::operation_would_block);
    EXPECT_EQ(data.in_flight(), 8U);
    EXPECT_FALSE(readable(data));
}

TEST_P(polled_files, end_with_the_error_of_a_read) {
    const std::string name = written("nobody may read this");
    polled_file data = begin(name, {}, open_write);
    const outcome got = read_all(data);
    EXPECT_EQ(got.text, "");
    EXPECT_EQ(got.end, std::errc::bad_file_descriptor);
}

TEST_P(polled_files, end_with_their_scope) {
    const std::string name = written(pattern(100 * 4096));
    polled_file data = begin(name, {.chunk_bytes = 4096, .depth = 2});
    turn_until([&] { return data.in_flight() == 0; });
    tasks().cancel();
    const outcome got = read_all(data);
    EXPECT_EQ(got.text, pattern(2 * 4096)) << "what was read before";
    EXPECT_EQ(got.end, errc::cancelled);
}

TEST_P(polled_files, may_be_dropped_and_moved_with_reads_in_flight) {
    const std::string name = written(pattern(100 * 4096));
    for (int round = 0; round < 20; ++round) {
        polled_file first = begin(name, {.chunk_bytes = 4096, .depth = 8});
        polled_file second = std::move(first);
        EXPECT_FALSE(first);
        first = begin(name, {.chunk_bytes = 4096, .depth = 8});
        static_cast<void>(second.next());
    }
}

TEST_P(polled_files, are_refused_without_room_or_a_loop) {
    run_task(home(), [](scope& in) -> task<> {
        EXPECT_EQ(polled_file::start(in, {}, {.depth = 0}).error(), std::errc::invalid_argument);
        EXPECT_EQ(polled_file::start(in, {}, {.chunk_bytes = 0}).error(),
                  std::errc::invalid_argument);
        co_return;
    }(tasks()));
    EXPECT_EQ(polled_file::start(tasks(), {}).error(), errc::no_loop);
}

}  // namespace
}  // namespace upcall::testing
