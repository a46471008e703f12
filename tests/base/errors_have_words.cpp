// An error is told in words on every system: the C runtime of MinGW called those of sockets
// "Unknown error".
#include "base/errno_words.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include <upcall/base/result.hpp>

namespace upcall {
namespace {

TEST(errors, equal_the_standards_number_with_words_of_our_own_or_not) {
    for (const auto& [error, words] : errno_words()) {
        EXPECT_EQ(error_from_errno(error), std::errc(error)) << words;
        EXPECT_EQ(error_from_raw(-error), error_from_errno(error)) << words;
        EXPECT_EQ(raw_error(error_from_errno(error)), -error) << words;
    }
    EXPECT_EQ(error_from_errno(ENOENT), std::make_error_code(std::errc::no_such_file_or_directory));
    EXPECT_NE(error_from_errno(EADDRINUSE), std::errc::address_not_available);
}

#if defined(__GLIBC__) || defined(_WIN32)
TEST(errors, have_the_words_of_glibc) {
    for (const auto& [error, words] : errno_words())
        EXPECT_EQ(error_from_errno(error).message(), words);
    EXPECT_EQ(error_from_errno(ENOENT).message(), "No such file or directory");
}
#endif

TEST(errors, of_a_result_are_those_of_their_numbers) {
    const result<int> taken = failure(std::errc::address_in_use);
    EXPECT_EQ(taken.error(), error_from_errno(EADDRINUSE));
    EXPECT_EQ(taken.error(), std::errc::address_in_use);
}

}  // namespace
}  // namespace upcall
