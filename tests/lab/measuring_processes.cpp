// A measurement in a process of its own is told in numbers, or in words, and leaves nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "lab/child.hpp"
#include "lab/findings.hpp"
#include "lab/output_file.hpp"
#include "lab/scratch.hpp"
#include "support/scratch_folder.hpp"

namespace upcall_lab {
namespace {

using ::testing::HasSubstr;

const child_limits patient{.seconds = 100, .is_over = {}};

TEST(lab_child, hands_over_what_it_measured) {
    EXPECT_EQ(in_child([] { return samples{1.5, -2}; }, patient).value(), (samples{1.5, -2}));
    EXPECT_TRUE(in_child([] { return samples{}; }, patient).value().empty());
    EXPECT_EQ(in_child([] { return samples(100000, 7); }, patient).value(), samples(100000, 7));
}

TEST(lab_child, says_what_went_wrong) {
    const auto thrown = in_child([]() -> samples { throw lab_error("no room in '/x'"); }, patient);
    EXPECT_EQ(thrown.error(), "no room in '/x'");
    const auto killed = in_child(
        []() -> samples {
            ::raise(SIGKILL);
            return {};
        },
        patient);
    EXPECT_THAT(killed.error(), HasSubstr("ended by the signal Killed"));
}

TEST(lab_child, is_ended_with_what_it_started) {
    const auto forever = []() -> samples {
        const side_process beside([] { ::pause(); });
        ::pause();
        return {};
    };
    EXPECT_EQ(in_child(forever, {.seconds = 100, .is_over = [] { return true; }}).error(),
              "interrupted");
    EXPECT_EQ(in_child(forever, {.seconds = 0, .is_over = {}}).error(),
              "it did not end within 0 s");
}

TEST(lab_child, learns_why_the_one_beside_it_has_ended) {
    const auto seen = in_child(
        []() -> samples {
            side_process beside([] { throw lab_error("the limit is 7"); });
            for (;;) beside.expect_alive(1000);
        },
        patient);
    EXPECT_EQ(seen.error(), "the limit is 7");
}

TEST(lab_files, have_no_name) {
    const upcall::testing::scratch_folder folder;
    const owned_fd made = filled_file(folder.path(), 3 << 20);
    EXPECT_EQ(folder.files(), 0U);
    char some[8] = {};
    EXPECT_EQ(::pread(made.get(), some, sizeof some, (3 << 20) - 8), 8);
    EXPECT_GE(open_again(made.get(), 0).get(), 0);
}

TEST(lab_files, are_refused_in_words) {
    try {
        static_cast<void>(filled_file("/no/such/place", 1));
        FAIL() << "a file was made";
    } catch (const lab_error& error) {
        EXPECT_STREQ(error.what(), "cannot look at '/no/such/place': No such file or directory");
    }
    const upcall::testing::scratch_folder folder;
    try {
        static_cast<void>(filled_file(folder.path(), std::uint64_t{1} << 60));
        FAIL() << "a file was made";
    } catch (const lab_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("needs 1,070,000,000 GiB in '" +
                                            folder.path().string() + "', which has "));
    }
}

TEST(lab_output, is_removed_when_nothing_came) {
    const upcall::testing::scratch_folder folder;
    {
        const output_file never(folder / "never");
    }
    EXPECT_EQ(folder.files(), 0U);
    {
        output_file longer(folder / "one");
        EXPECT_TRUE(longer.write("longer"));
    }
    {
        output_file shorter(folder / "one");
        EXPECT_TRUE(shorter.write("new"));
    }
    EXPECT_EQ(std::filesystem::file_size(folder / "one"), 3U);
    {
        const output_file kept(folder / "one");
    }
    EXPECT_EQ(std::filesystem::file_size(folder / "one"), 3U);
    output_file none("");
    EXPECT_TRUE(none.write("nowhere"));
    const output_file refused(folder / "missing/name");
    EXPECT_THAT(refused.error(), HasSubstr("cannot write '" + (folder / "missing/name") + "': No"));
}

}  // namespace
}  // namespace upcall_lab
