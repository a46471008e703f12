// Engines for files, beside the readiness drivers: what they take, what they leave to the pool, and
// that every transfer has one outcome, whichever way it went.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include <upcall/base/aligned_buffer.hpp>

#include "driver/files/aio_lanes.hpp"
#include "support/child.hpp"
#include "support/descriptors.hpp"
#include "support/driver_test.hpp"
#include "support/latch.hpp"
#include "support/scratch_folder.hpp"
#include "support/seccomp.hpp"

namespace upcall::test {
namespace {

constexpr std::size_t block_bytes = 4096;
/// More than any engine has in flight.
constexpr std::size_t many = 600;

std::string plain(std::string name) {
    std::ranges::replace(name, '+', '_');
    return name;
}

std::vector<std::string> combinations() {
    std::vector<std::string> all;
    for (const std::string& engine : file_engine_names()) all.push_back("epoll+" + engine);
    // Those that have to empty what tells of completions.
    for (const char* other : {"poll+linux_aio", "sigio+linux_aio", "select+posix_aio"})
        all.emplace_back(other);
    return all;
}

/// Makes the named driver, and fails the test if its engine was refused.
bench_driver with_engine(const std::string& name) {
    return {name, [name](const driver_environment& lent) {
                selection_report report;
                auto made = make_driver({.name = name, .uring = {}}, lent, &report);
                EXPECT_TRUE(made) << report.to_string();
                EXPECT_EQ(report.chosen, name) << report.to_string();
                return made ? std::move(*made) : nullptr;
            }};
}

class file_engines : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        bench.emplace(with_engine(GetParam()).make);
        // Each block is full of its own number.
        aligned_buffer block(block_bytes);
        const int fd = ::open(path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ASSERT_GE(fd, 0);
        for (std::size_t at = 0; at < blocks; ++at) {
            fill(block, at);
            ASSERT_EQ(::write(fd, block.data(), block_bytes), static_cast<ssize_t>(block_bytes));
        }
        ::close(fd);
    }

    static constexpr std::size_t blocks = 32;
    static void fill(aligned_buffer& block, std::size_t number) {
        std::memset(block.data(), static_cast<int>(number + 1), block_bytes);
    }
    static bool is_block(const aligned_buffer& block, std::size_t number) {
        return std::ranges::all_of(block.span(), [&](std::byte each) {
            return each == static_cast<std::byte>(number + 1);
        });
    }

    bool is_linux_aio() const { return GetParam().contains("linux_aio"); }
    std::string path() const { return folder_ / "data"; }
    file_transfer_counts counts() { return bench->via().file_transfers(); }

    /// With O_DIRECT where this file system has that; buffered transfers go to the pool on some
    /// engines.
    handle open_direct(int flags) {
        int fd = ::open(path().c_str(), flags | O_DIRECT | O_CLOEXEC);
        has_direct_ = fd >= 0;
        if (!has_direct_) fd = ::open(path().c_str(), flags | O_CLOEXEC);
        EXPECT_GE(fd, 0);
        return bench->via().adopt(fd, handle_kind::file).value();
    }
    handle open_buffered(int flags) {
        const int fd = ::open(path().c_str(), flags | O_CLOEXEC);
        EXPECT_GE(fd, 0);
        return bench->via().adopt(fd, handle_kind::file).value();
    }

    struct transfer {
        bench_operation op;
        aligned_buffer block{block_bytes};
        std::size_t number = 0;
    };
    /// Reads of blocks in turn, all started and none awaited.
    std::vector<std::unique_ptr<transfer>> start_reads(handle& from, std::size_t count) {
        std::vector<std::unique_ptr<transfer>> all;
        for (std::size_t at = 0; at < count; ++at) {
            auto& made = *all.emplace_back(std::make_unique<transfer>());
            made.number = at % blocks;
            std::memset(made.block.data(), 0, block_bytes);
            bench->file_read(made.op, from, made.number * block_bytes, made.block);
        }
        return all;
    }

    testing::scratch_folder folder_;
    std::optional<driver_bench> bench;
    bool has_direct_ = false;
};

INSTANTIATE_TEST_SUITE_P(drivers, file_engines, ::testing::ValuesIn(combinations()),
                         [](const auto& engine_info) { return plain(engine_info.param); });

}  // namespace

TEST_P(file_engines, read_more_at_once_than_they_have_room_for) {
    handle file = open_direct(O_RDONLY);
    auto all = start_reads(file, many);
    for (auto& each : all) {
        EXPECT_EQ(bench->finish(each->op), static_cast<std::int64_t>(block_bytes));
        EXPECT_TRUE(is_block(each->block, each->number)) << each->number;
    }
    EXPECT_EQ(counts().by_engine + counts().by_pool, many);
    if (has_direct_ || !is_linux_aio()) {
        EXPECT_EQ(counts().by_engine, many);
    }
}

TEST_P(file_engines, close_all_they_opened_for_a_file_with_it) {
    const auto before = testing::open_descriptors();
    handle file = open_direct(O_RDONLY);
    for (auto& each : start_reads(file, many)) bench->finish(each->op);
    const std::size_t most = before.size() + aio_lanes::per_file;
    EXPECT_LE(testing::open_descriptors().size(), most);
    file.close();
    EXPECT_EQ(testing::open_descriptors(), before);
}

TEST_P(file_engines, write_what_is_read_again_and_makes_the_file_longer) {
    handle file = open_direct(O_RDWR);
    std::vector<std::unique_ptr<transfer>> all;
    for (std::size_t at = 0; at < 2 * blocks; ++at) {
        auto& made = *all.emplace_back(std::make_unique<transfer>());
        made.number = at + 7;
        fill(made.block, made.number);
        bench->file_write(made.op, file, at * block_bytes, made.block);
    }
    for (auto& each : all) EXPECT_EQ(bench->finish(each->op), std::int64_t{block_bytes});
    for (std::size_t at = 0; at < 2 * blocks; ++at) {
        transfer back;
        bench->file_read(back.op, file, at * block_bytes, back.block);
        EXPECT_EQ(bench->finish(back.op), std::int64_t{block_bytes});
        EXPECT_TRUE(is_block(back.block, at + 7)) << at;
    }
}

TEST_P(file_engines, buffered_files_go_where_they_do_not_hold_up_the_loop) {
    handle file = open_buffered(O_RDONLY);
    auto all = start_reads(file, 3);
    for (auto& each : all) {
        EXPECT_EQ(bench->finish(each->op), std::int64_t{block_bytes});
        EXPECT_TRUE(is_block(each->block, each->number));
    }
    EXPECT_EQ(counts().by_pool, is_linux_aio() ? 3U : 0U);
    EXPECT_EQ(counts().by_engine, is_linux_aio() ? 0U : 3U);
}

TEST_P(file_engines, appended_writes_are_done_once_each_at_the_end) {
    handle file = open_direct(O_RDWR | O_APPEND);
    std::vector<std::unique_ptr<transfer>> all;
    for (std::size_t at = 0; at < 16; ++at) {
        auto& made = *all.emplace_back(std::make_unique<transfer>());
        fill(made.block, 99);
        bench->file_write(made.op, file, 0, made.block);
    }
    for (auto& each : all) EXPECT_EQ(bench->finish(each->op), std::int64_t{block_bytes});
    EXPECT_EQ(counts().by_pool, 16U);
    struct stat status{};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_size, static_cast<off_t>((blocks + 16) * block_bytes));
}

TEST_P(file_engines, slices_are_gathered_and_scattered) {
    handle file = open_direct(O_RDWR);
    aligned_buffer first(block_bytes);
    aligned_buffer second(block_bytes);
    io_slice slices[] = {first.span(), second.span()};
    bench_operation op;
    op.offset = 3 * block_bytes;
    bench->start_vectored(op, op_kind::file_read, file, slices);
    EXPECT_EQ(bench->finish(op), std::int64_t{2 * block_bytes});
    EXPECT_TRUE(is_block(first, 3));
    EXPECT_TRUE(is_block(second, 4));
    op.offset = 20 * block_bytes;
    bench->start_vectored(op, op_kind::file_write, file, slices);
    EXPECT_EQ(bench->finish(op), std::int64_t{2 * block_bytes});
    bench->file_read(op, file, 21 * block_bytes, second);
    EXPECT_EQ(bench->finish(op), std::int64_t{block_bytes});
    EXPECT_TRUE(is_block(second, 4));
}

TEST_P(file_engines, what_waits_for_room_can_be_taken_back_and_the_rest_has_its_value) {
    handle file = open_direct(O_RDONLY);
    auto all = start_reads(file, many);
    if (!is_linux_aio() || has_direct_) {
        // No turn has made room yet.
        all.back()->op.request_cancel(cancel_cause::cancelled);
        EXPECT_EQ(bench->finish(all.back()->op), -ECANCELED);
    }
    for (auto& each : all)
        if (!each->op.done()) each->op.request_cancel(cancel_cause::cancelled);
    std::size_t taken_back = 0;
    for (auto& each : all) {
        const std::int64_t outcome = each->op.done() ? each->op.result : bench->finish(each->op);
        EXPECT_EQ(each->op.completions, 1);
        if (outcome == -ECANCELED) {
            ++taken_back;
            EXPECT_EQ(each->block.data()[0], std::byte{0});
            continue;
        }
        EXPECT_EQ(outcome, std::int64_t{block_bytes});
        EXPECT_TRUE(is_block(each->block, each->number));
    }
    EXPECT_GE(taken_back, 1U);
    // What was taken back has left its room to others.
    auto again = start_reads(file, many);
    for (auto& each : again) EXPECT_EQ(bench->finish(each->op), std::int64_t{block_bytes});
}

TEST_P(file_engines, a_file_that_is_closed_takes_its_transfers_along) {
    handle file = open_direct(O_RDONLY);
    handle other = open_direct(O_RDONLY);
    auto doomed = start_reads(file, many);
    auto spared = start_reads(other, 10);
    EXPECT_EQ(bench->close(file), 0);
    for (auto& each : doomed) {
        if (!each->op.done()) bench->finish(each->op);
        EXPECT_EQ(each->op.completions, 1);
        EXPECT_TRUE(each->op.result == -ECANCELED || each->op.result == std::int64_t{block_bytes})
            << each->op.result;
    }
    for (auto& each : spared) {
        EXPECT_EQ(bench->finish(each->op), std::int64_t{block_bytes});
        EXPECT_TRUE(is_block(each->block, each->number));
    }
}

TEST_P(file_engines, errors_are_those_of_the_plain_call) {
    handle readable = open_direct(O_RDONLY);
    transfer wrong;
    bench->file_write(wrong.op, readable, 0, wrong.block);
    EXPECT_EQ(bench->finish(wrong.op), -EBADF);
    bench->file_read(wrong.op, readable, ~std::uint64_t{0}, wrong.block);
    EXPECT_EQ(bench->finish(wrong.op), -EINVAL);
    bench->file_read(wrong.op, readable, blocks * block_bytes, wrong.block);
    EXPECT_EQ(bench->finish(wrong.op), 0) << "the end";
    bench->file_read(wrong.op, readable, 0, wrong.block.span().first(0));
    EXPECT_EQ(bench->finish(wrong.op), 0) << "nothing asked for";
}

TEST_P(file_engines, no_file_is_read_at_an_offset) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    handle pipe = bench->via().adopt(ends[0], handle_kind::file).value();
    transfer wrong;
    bench->file_read(wrong.op, pipe, 0, wrong.block);
    EXPECT_EQ(bench->finish(wrong.op), -ESPIPE);
    ::close(ends[1]);
}

TEST_P(file_engines, two_loops_do_not_take_each_others_completions) {
    driver_bench second(with_engine(GetParam()).make);
    handle here = open_direct(O_RDONLY);
    const int fd = ::open(path().c_str(), O_RDONLY | O_CLOEXEC | (has_direct_ ? O_DIRECT : 0));
    handle there = second.via().adopt(fd, handle_kind::file).value();
    for (int round = 0; round < 20; ++round) {
        transfer ours;
        transfer theirs;
        bench->file_read(ours.op, here, 5 * block_bytes, ours.block);
        second.file_read(theirs.op, there, 6 * block_bytes, theirs.block);
        EXPECT_EQ(bench->finish(ours.op), std::int64_t{block_bytes});
        EXPECT_EQ(second.finish(theirs.op), std::int64_t{block_bytes});
        EXPECT_TRUE(is_block(ours.block, 5));
        EXPECT_TRUE(is_block(theirs.block, 6));
    }
    there.close();
}

TEST_P(file_engines, notices_that_meet_a_thread_of_the_program_are_passed_on) {
    // It blocks no signal, and so gets those of the process.
    testing::latch over(1);
    std::thread open_minded([&] { over.wait(); });
    handle file = open_buffered(O_RDONLY);
    for (int round = 0; round < 50; ++round) {
        transfer one;
        bench->file_read(one.op, file, 9 * block_bytes, one.block);
        EXPECT_EQ(bench->finish(one.op), std::int64_t{block_bytes});
        EXPECT_TRUE(is_block(one.block, 9));
    }
    over.count_down();
    open_minded.join();
}

namespace {

/// Writes and reads through a driver of that name; what the report says of the engine.
std::string use_driver(const std::string& name, const std::string& path) {
    selection_report report;
    std::string said;
    driver_bench bench([&](const driver_environment& lent) {
        auto made = make_driver({.name = name, .uring = {}}, lent, &report);
        said = report.to_string();
        return std::move(made.value());
    });
    handle file = bench.open(path, open_read | open_write | open_create);
    bench_operation op;
    bench.file_write(op, file, 100, bytes_of("all the same"));
    EXPECT_EQ(bench.finish(op), 12);
    std::byte back[12];
    bench.file_read(op, file, 100, back);
    EXPECT_EQ(bench.finish(op), 12);
    EXPECT_EQ(text_of(back), "all the same");
    return said;
}

}  // namespace

TEST(file_engines_refused, files_go_to_the_pool_and_the_report_says_why) {
    const testing::scratch_folder folder;
    for (const int error : {EPERM, EAGAIN, ENOSYS}) {
        const child_end end = run_in_child([&](std::string& message) {
            if (forbid({{SYS_io_setup, error}}) != 0) return 2;
            message = use_driver("epoll+linux_aio", folder / "data");
            return ::testing::Test::HasFailure() ? 1 : 0;
        });
        EXPECT_TRUE(end.succeeded()) << end;
        EXPECT_TRUE(end.message.starts_with("epoll (linux_aio: io_setup: ")) << end.message;
        EXPECT_TRUE(end.message.ends_with("; files go to the pool)")) << end.message;
    }
}

TEST(file_engines_refused, what_cannot_be_handed_over_goes_to_the_pool) {
    const testing::scratch_folder folder;
    const child_end end = run_in_child([&](std::string& message) {
        if (forbid({{SYS_io_submit, EAGAIN}}) != 0) return 2;
        message = use_driver("epoll+linux_aio", folder / "data");
        return ::testing::Test::HasFailure() ? 1 : 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_EQ(end.message, "epoll+linux_aio");
}

TEST(file_engines_refused, posix_aio_notices_without_room_in_the_queue_of_signals_lose_nothing) {
    const testing::scratch_folder folder;
    const child_end end = run_in_child([&](std::string& message) {
        const rlimit none{0, 0};
        if (::setrlimit(RLIMIT_SIGPENDING, &none) != 0) return 2;
        message = use_driver("epoll+posix_aio", folder / "data");
        return ::testing::Test::HasFailure() ? 1 : 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
}

TEST(file_engines_refused, posix_aio_is_not_used_in_a_child_whose_parent_has_used_it) {
    const testing::scratch_folder folder;
    use_driver("epoll+posix_aio", folder / "data");
    const child_end end = run_in_child([&](std::string& message) {
        selection_report report;
        driver_bench bench([&](const driver_environment& lent) {
            auto made = make_driver({.name = "epoll+posix_aio", .uring = {}}, lent, &report);
            return std::move(made.value());
        });
        message = report.to_string();
        return 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
    EXPECT_TRUE(end.message.starts_with("epoll (posix_aio: ")) << end.message;
}

TEST(file_engines_refused, names_that_fit_nothing_are_no_drivers) {
    EXPECT_TRUE(is_driver_name("sigio+posix_aio_thread"));
    for (const char* wrong : {"uring+linux_aio", "epoll+", "epoll+pool", "+linux_aio", "linux_aio",
                              "epoll+linux_aio+posix_aio", "EPOLL+linux_aio"}) {
        EXPECT_FALSE(is_driver_name(wrong)) << wrong;
        auto made = make_driver({.name = wrong, .uring = {}}, {});
        ASSERT_FALSE(made) << wrong;
        EXPECT_EQ(made.error(), std::errc::invalid_argument) << wrong;
    }
}

}  // namespace upcall::test
