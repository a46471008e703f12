// Each bare interface reads what the file holds, ends each read once, and tells of one that failed.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/findings.hpp"
#include "lab/owned_fd.hpp"
#include "lab/raw/file_reads.hpp"
#include "lab/run.hpp"
#include "support/scratch_folder.hpp"

namespace upcall_lab {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr unsigned blocks = 16;
constexpr std::size_t block_size = 512;

/// Block b holds the letter 'a' + b.
owned_fd lettered_file(const std::string& path, int flags = O_RDONLY) {
    const owned_fd written(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    for (unsigned block = 0; block < blocks; ++block) {
        const std::string text(block_size, static_cast<char>('a' + block));
        EXPECT_EQ(::write(written.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }
    return owned_fd(::open(path.c_str(), flags | O_CLOEXEC));
}

std::optional<std::string> lacks_way(read_way way) {
    switch (way) {
        case read_way::plain:
            return std::nullopt;
        case read_way::ring:
        case read_way::ring_twice:
            return lacks(upcall::kernel_interface::uring);
        case read_way::linux_aio:
            return lacks(upcall::kernel_interface::linux_aio);
        case read_way::posix_aio:
        case read_way::posix_aio_list:
            return lacks(upcall::kernel_interface::posix_aio);
    }
    return "it is not known";
}

class bare_reads : public ::testing::TestWithParam<read_way> {
  protected:
    void SetUp() override {
        if (const auto why = lacks_way(GetParam())) GTEST_SKIP() << *why;
    }

    std::string path() const { return folder_ / "letters"; }
    char* buffer(unsigned slot) { return memory_.data() + slot * block_size; }
    std::string text(unsigned slot) { return {buffer(slot), block_size}; }

    upcall::testing::scratch_folder folder_;
    std::vector<char> memory_ = std::vector<char>(blocks * block_size);
};

TEST_P(bare_reads, end_once_each_with_what_the_file_holds) {
    const owned_fd file = lettered_file(path());
    const auto engine = make_read_engine(GetParam(), file.get(), 4);
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned slot = 0; slot < 4; ++slot)
            engine->prepare(slot, buffer(slot), block_size, (4 * round + slot) * block_size);
        std::vector<unsigned> ended;
        engine->hand_over(4, ended);
        EXPECT_THAT(ended, UnorderedElementsAre(0U, 1U, 2U, 3U));
        for (unsigned slot = 0; slot < 4; ++slot)
            EXPECT_EQ(text(slot),
                      std::string(block_size, static_cast<char>('a' + 4 * round + slot)));
    }
}

TEST_P(bare_reads, are_awaited_as_many_as_asked_for) {
    const owned_fd file = lettered_file(path());
    const auto engine = make_read_engine(GetParam(), file.get(), 4);
    for (const unsigned slot : {2U, 0U, 3U})
        engine->prepare(slot, buffer(slot), block_size, slot * block_size);
    std::vector<unsigned> ended;
    for (std::size_t before = 0; ended.size() < 3; before = ended.size()) {
        engine->hand_over(1, ended);
        ASSERT_GT(ended.size(), before);
    }
    EXPECT_THAT(ended, UnorderedElementsAre(0U, 2U, 3U));
}

TEST_P(bare_reads, tell_of_one_that_was_short) {
    const owned_fd file = lettered_file(path());
    const auto engine = make_read_engine(GetParam(), file.get(), 4);
    const auto read_at_end = [&] {
        engine->prepare(0, buffer(0), block_size, blocks * block_size - 1);
        std::vector<unsigned> ended;
        engine->hand_over(1, ended);
    };
    EXPECT_THAT(read_at_end, ::testing::ThrowsMessage<lab_error>(HasSubstr("1 bytes of 512")));
}

TEST_P(bare_reads, tell_of_one_that_failed) {
    const owned_fd file = lettered_file(path(), O_WRONLY);
    const auto engine = make_read_engine(GetParam(), file.get(), 4);
    const auto read_what_is_for_writing = [&] {
        engine->prepare(0, buffer(0), block_size, 0);
        std::vector<unsigned> ended;
        engine->hand_over(1, ended);
    };
    EXPECT_THAT(read_what_is_for_writing,
                ::testing::ThrowsMessage<lab_error>(HasSubstr("Bad file descriptor")));
}

INSTANTIATE_TEST_SUITE_P(, bare_reads,
                         ::testing::Values(read_way::plain, read_way::ring, read_way::ring_twice,
                                           read_way::linux_aio, read_way::posix_aio,
                                           read_way::posix_aio_list),
                         [](const auto& way) {
                             std::string name = name_of(way.param);
                             for (char& each : name)
                                 if (each == ' ' || each == ',') each = '_';
                             return name;
                         });

}  // namespace
}  // namespace upcall_lab
