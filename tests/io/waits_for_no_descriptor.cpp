// Waiting for the readiness of nothing ends at once, and tells a descriptor that is none from
// something of ours that was closed.
#include <upcall/io/readiness.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

class waits_for_no_descriptor : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(waits_for_no_descriptor);

// -1, what a failed open(2) left behind, counted as closed.
TEST_P(waits_for_no_descriptor, end_with_the_error_of_the_system) {
    run([]() -> task<> {
        EXPECT_EQ((co_await readable(-1)).error(), std::errc::bad_file_descriptor);
        EXPECT_EQ((co_await writable(-1)).error(), std::errc::bad_file_descriptor);
        EXPECT_EQ((co_await readable(1 << 20)).error(), std::errc::bad_file_descriptor);
    });
}

TEST_P(waits_for_no_descriptor, of_one_that_is_not_watched_end_with_closed) {
    run([]() -> task<> {
        watched none;
        EXPECT_EQ((co_await none.readable()).error(), errc::closed);
        EXPECT_EQ((co_await none.either()).error(), errc::closed);
    });
}

}  // namespace
}  // namespace upcall
