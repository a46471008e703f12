// What is said about a file system holds when it is put to use.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <upcall/driver/host_file.hpp>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "support/scratch_folder.hpp"

namespace upcall {
namespace {

TEST(host_file_system, a_missing_path_is_an_error) {
    const auto facts = probe_file_system("/no/such/path");
    ASSERT_FALSE(facts.has_value());
    EXPECT_EQ(facts.error(), std::errc::no_such_file_or_directory);
}

TEST(host_file_system, proc_is_known_by_name) {
    const auto facts = probe_file_system("/proc");
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->type, "proc");
    EXPECT_NE(facts->direct_io, file_system_facts::direct::supported);
}

TEST(host_file_system, a_device_that_is_no_disk_has_no_direct_io_to_speak_of) {
    const auto facts = probe_file_system("/dev/null");
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->direct_io, file_system_facts::direct::unknown);
}

// A folder is judged without leaving anything in it.
TEST(host_file_system, probing_a_folder_leaves_it_empty) {
    const testing::scratch_folder folder;
    EXPECT_TRUE(probe_file_system(folder.path().string()).has_value());
    EXPECT_EQ(folder.files(), 0U);
}

// Writes and reads with exactly the alignment that was reported.
TEST(host_file_system, the_reported_alignment_works) {
    const std::string folder = std::filesystem::temp_directory_path().string();
    const auto facts = probe_file_system(folder);
    ASSERT_TRUE(facts.has_value());
    if (facts->direct_io != file_system_facts::direct::supported)
        GTEST_SKIP() << folder << " (" << facts->type << ") has no direct I/O";
    const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0) GTEST_SKIP() << folder << " takes no O_TMPFILE with O_DIRECT";
    const std::size_t step = facts->offset_alignment;
    ASSERT_GT(step, 0U);
    ASSERT_GT(facts->memory_alignment, 0U);
    // Aligned as reported, and no better than that.
    const std::size_t room = 2 * step + 2 * std::size_t{facts->memory_alignment} + 65536;
    const std::unique_ptr<char, void (*)(void*)> memory(
        static_cast<char*>(std::aligned_alloc(65536, (room + 65535) / 65536 * 65536)), std::free);
    ASSERT_NE(memory, nullptr);
    char* const buffer = memory.get() + facts->memory_alignment;
    std::fill_n(buffer, step, 'u');
    const auto offset = static_cast<off_t>(step);
    const auto size = static_cast<ssize_t>(step);
    EXPECT_EQ(::pwrite(fd, buffer, step, offset), size) << errno;
    std::fill_n(buffer, step, '\0');
    EXPECT_EQ(::pread(fd, buffer, step, offset), size) << errno;
    EXPECT_EQ(buffer[step - 1], 'u');
    ::close(fd);
}

}  // namespace
}  // namespace upcall
