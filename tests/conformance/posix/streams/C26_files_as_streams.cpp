// A regular file that is read as a stream, as standard input may be. Went wrong: poll, select and
// sigio call it ready always, io_uring took it for bulk after four buffers, and the thread of
// `blocking` only waited, so the loop itself stood still while the disk was busy.
#include <fcntl.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <vector>

#include <upcall/pool/blocking_pool.hpp>

#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

byte_stream stream_over(const std::string& path, int flags) {
    return pipe::adopt(checked(::open(path.c_str(), flags | O_CLOEXEC, 0644), "open")).value();
}

/// Every thread of the pool is busy until it is opened: what the loop has done by itself meanwhile
/// went past the pool.
class pool_gate {
  public:
    explicit pool_gate(loop& home) : home_(home) {
        block_.argument = this;
        block_.run = [](void* argument) noexcept {
            auto& self = *static_cast<pool_gate*>(argument);
            ++self.busy_;
            self.open_.wait(false);
        };
    }
    task<> shut() {
        const std::size_t threads = blocking_pool::shared().options().threads_max;
        for (std::size_t count = 0; count < threads; ++count)
            all_.push_back(std::make_unique<work>(home_, plain({op_kind::work, nullptr, &block_})));
        while (busy_ < threads && holds_all()) co_await turns(1);
    }
    /// Whether the system gave the pool all its threads.
    static bool holds_all() { return blocking_pool::shared().count().threads_refused == 0; }
    task<> open() {
        open_ = true;
        open_.notify_all();
        for (auto& one : all_) co_await one->ended();
        all_.clear();
        busy_ = 0;
        open_ = false;
    }

  private:
    using work = running<request<plain_operation>>;

    loop& home_;
    work_arguments block_;
    std::atomic<bool> open_ = false;
    std::atomic<std::size_t> busy_ = 0;
    std::vector<std::unique_ptr<work>> all_;
};

}  // namespace

TEST_P(every_form, C26_a_file_as_a_stream_never_has_the_loop_make_the_call) {
    const std::string text = counted_text(1'000'000);
    std::ofstream(scratch("input"), std::ios::binary) << text;
    run([&]() -> task<> {
        auto input = stream_over(scratch("input"), O_RDONLY);
        pool_gate gate(home());
        std::string got;
        for (bool more = true; more;) {
            // First, and when it is taken for bulk.
            const bool looks = got.empty() || got.size() > text.size() / 2;
            if (looks) co_await gate.shut();
            running reading(home(), input.receive());
            co_await turns(3);
            if (looks) {
                if (gate.holds_all()) {
                    EXPECT_FALSE(reading.done());
                }
                co_await gate.open();
            }
            co_await reading.ended();
            more = reading.outcome().has_value();
            if (more)
                got += reading.outcome()->text();
            else
                EXPECT_EQ(reading.outcome().error(), errc::end_of_stream);
        }
        EXPECT_TRUE(got == text) << got.size();
    });
}

TEST_P(every_form, C26_a_file_as_a_stream_is_read_and_written_in_order) {
    const std::string text = counted_text(300'000);
    run([&]() -> task<> {
        auto output = stream_over(scratch("log"), O_WRONLY | O_CREAT | O_APPEND);
        for (std::size_t at = 0; at < text.size(); at += 50'000)
            EXPECT_TRUE(co_await output.write_all(bytes_of(text.substr(at, 50'000))));
        auto input = stream_over(scratch("log"), O_RDONLY);
        std::string first(1000, ' ');
        EXPECT_TRUE(co_await input.read_exactly(bytes_in(first)));
        const auto rest = co_await read_to_end(input);
        EXPECT_TRUE(first + rest.text == text);
        EXPECT_EQ(rest.end, errc::end_of_stream);
    });
}

TEST_P(every_form, C26_a_file_as_a_stream_waits_for_a_buffer) {
    std::ofstream(scratch("input"), std::ios::binary) << counted_text(1'000'000);
    loop_options few = small_loop();
    few.buffers.large_count = 2;
    renew_loop(few);
    run([&]() -> task<> {
        auto input = stream_over(scratch("input"), O_RDONLY);
        std::vector<lease> held;
        for (int count = 0; count < 2; ++count) held.push_back((co_await input.receive()).value());
        running starving(home(), input.receive());
        co_await turns(3);
        EXPECT_FALSE(starving.done());
        held.pop_back();
        co_await starving.ended();
        EXPECT_TRUE(starving.outcome());
        running dropped(home(), input.receive());
        co_await turns(3);
        EXPECT_FALSE(dropped.done());
        dropped.cancel();
        co_await dropped.ended();
        EXPECT_EQ(dropped.outcome().error(), errc::cancelled);
        input = {};
    });
}

TEST_P(every_form, C26_a_file_that_does_not_answer_holds_up_nobody_else) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        run([&]() -> task<> {
            auto input = stream_over(path, O_RDONLY);
            files.stall();
            running reading(home(), input.receive());
            while (files.waiting() == 0) co_await turns(1);
            auto [client, server] = co_await connected();
            for (int round = 0; round < 20; ++round) {
                std::byte byte{};
                EXPECT_TRUE(co_await client.write_all(bytes_of("?")));
                EXPECT_TRUE(co_await server.read_exactly({&byte, 1}));
            }
            EXPECT_FALSE(reading.done());
            files.answer();
            co_await reading.ended();
            EXPECT_TRUE(reading.outcome());
        });
    });
}

}  // namespace upcall::test
