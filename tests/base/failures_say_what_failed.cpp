// An error that nobody handles is told with the address or name that it is about: a code alone
// says why, and not of what.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <upcall/base/result.hpp>

namespace upcall {
namespace {

template <class T>
std::string words_of(result<T> outcome, std::string_view tried, std::string_view of_what = {}) {
    try {
        value_or_throw(std::move(outcome), tried, of_what);
        return "none";
    } catch (const std::system_error& thrown) {
        return thrown.what();
    }
}

TEST(failures, name_what_was_tried_and_of_what) {
    const result<int> taken = failure(std::errc::address_in_use);
    EXPECT_EQ(words_of(taken, "listen on", "127.0.0.1:80"),
              "listen on 127.0.0.1:80: Address already in use");
    EXPECT_EQ(words_of(taken, "listen"), "listen: Address already in use");
    const result<void> gone = failure(errc::closed);
    EXPECT_EQ(words_of(gone, "flush"), "flush: the handle is closed");
}

TEST(failures, keep_their_code) {
    try {
        value_or_throw(result<void>(failure(errc::end_of_stream)), "read");
        FAIL();
    } catch (const std::system_error& thrown) {
        EXPECT_EQ(thrown.code(), errc::end_of_stream);
    }
}

TEST(failures, are_not_made_of_values) {
    EXPECT_EQ(value_or_throw(result<int>(7), "count"), 7);
    EXPECT_EQ(words_of(result<void>(), "flush"), "none");
    const auto moved =
        value_or_throw(result<std::unique_ptr<int>>(std::make_unique<int>(3)), "make");
    EXPECT_EQ(*moved, 3);
}

}  // namespace
}  // namespace upcall
