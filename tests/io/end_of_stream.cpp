// The end of a stream comes after all data, again and again, and is never taken for anything else.
#include "pairs.hpp"

namespace upcall::testing {
namespace {

class end_of_stream : public io_test {};
UPCALL_FOR_EVERY_LOOP(end_of_stream);

TEST_P(end_of_stream, comes_after_the_data_and_stays) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_TRUE(co_await here.write_all(bytes_of("last words")));
        EXPECT_TRUE(co_await here.close());
        EXPECT_FALSE(here);
        auto chunk = co_await there.receive();
        EXPECT_EQ(chunk.value().text(), "last words");
        chunk = lease();
        for (int again = 0; again < 3; ++again) {
            EXPECT_EQ((co_await there.receive()).error(), errc::end_of_stream);
            std::string buffer(8, '\0');
            EXPECT_EQ((co_await there.read(room_in(buffer))).error(), errc::end_of_stream);
        }
    });
}

// An empty span has a null pointer, which once counted as a wish for a lease and lost its bytes.
TEST_P(end_of_stream, is_not_what_an_empty_read_sees) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_EQ((co_await there.read(byte_span{})).value(), 0U);
        EXPECT_TRUE(co_await here.write_all(bytes_of("data")));
        EXPECT_EQ((co_await there.receive()).value().text(), "data");
        EXPECT_TRUE(co_await here.write_all(bytes_of("more")));
        EXPECT_EQ((co_await there.read(byte_span{})).value(), 0U);
        std::string one(1, '\0');
        EXPECT_EQ((co_await there.read(room_in(one).first(0))).value(), 0U);
        EXPECT_TRUE(co_await there.read_exactly({}));
        EXPECT_EQ((co_await there.receive()).value().text(), "more");
        EXPECT_TRUE(co_await here.close());
        EXPECT_EQ((co_await there.read(byte_span{})).value(), 0U);
        EXPECT_EQ((co_await there.receive()).error(), errc::end_of_stream);
        EXPECT_EQ((co_await there.read(byte_span{})).value(), 0U);
    });
}

TEST_P(end_of_stream, inside_a_message_has_a_code_of_its_own) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_TRUE(co_await here.write_all(bytes_of("whole-half")));
        EXPECT_TRUE(co_await here.close());
        std::string message(6, '\0');
        EXPECT_TRUE(co_await there.read_exactly(room_in(message)));
        EXPECT_EQ(message, "whole-");
        const transfer rest = co_await there.read_exactly(room_in(message));
        EXPECT_EQ(rest.bytes, 4U);
        EXPECT_EQ(rest.cause, errc::unexpected_end);
        const transfer none = co_await there.read_exactly(room_in(message));
        EXPECT_EQ(none.bytes, 0U);
        EXPECT_EQ(none.cause, errc::end_of_stream);
    });
}

TEST_P(end_of_stream, follows_what_a_shut_down_reader_had_received) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_TRUE(co_await here.write_all(bytes_of("before")));
        std::string first(1, '\0');
        EXPECT_EQ((co_await there.read(room_in(first))).value(), 1U);  // so it has arrived
        EXPECT_TRUE(there.shut_down_reading());
        EXPECT_EQ((co_await there.receive()).value().text(), "efore");
        EXPECT_EQ((co_await there.receive()).error(), errc::end_of_stream);
    });
}

}  // namespace
}  // namespace upcall::testing
