// The two directions of a stream end one by one.
#include "pairs.hpp"

namespace upcall::testing {
namespace {

class half_close : public io_test {};
UPCALL_FOR_EVERY_LOOP(half_close);

TEST_P(half_close, leaves_the_other_direction_open) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        const std::string data = pattern(std::size_t{10} << 20);
        EXPECT_TRUE(co_await here.shut_down_writing());
        EXPECT_EQ((co_await there.receive()).error(), errc::end_of_stream);
        std::string got;
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](tcp::stream& to, const std::string& text) -> task<> {
                EXPECT_TRUE(co_await to.write_all(bytes_of(std::string_view(text))));
                EXPECT_TRUE(co_await to.close());
            }(there, data));
            got = co_await read_to_end(here);
        });
        EXPECT_TRUE(got == data);
        EXPECT_EQ((co_await here.write_all(bytes_of("late"))).cause, std::errc::broken_pipe);
    });
}

TEST_P(half_close, flushes_the_writes_before_it) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        const std::string data = pattern(std::size_t{4} << 20);
        std::string got;
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](tcp::stream& to, const std::string& text) -> task<> {
                EXPECT_TRUE(co_await to.write_all(bytes_of(std::string_view(text))));
            }(here, data));
            side.spawn_now([](tcp::stream& to) -> task<> {
                EXPECT_TRUE(co_await to.shut_down_writing());
            }(here));
            got = co_await read_to_end(there);
        });
        EXPECT_TRUE(got == data);
    });
}

TEST_P(half_close, of_both_sides_and_twice) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_TRUE(co_await here.shut_down_writing());
        EXPECT_TRUE(co_await there.shut_down_writing());
        EXPECT_EQ((co_await here.receive()).error(), errc::end_of_stream);
        EXPECT_EQ((co_await there.receive()).error(), errc::end_of_stream);
        // Nothing is left to shut down: the system may say so, and that is all that happens.
        const auto again = co_await here.shut_down_writing();
        EXPECT_TRUE(again || again.error() == std::errc::not_connected) << again.error();
        EXPECT_TRUE(co_await here.close());
        EXPECT_EQ((co_await here.shut_down_writing()).error(), errc::closed);
        EXPECT_EQ(here.shut_down_reading().error(), errc::closed);
    });
}

}  // namespace
}  // namespace upcall::testing
