// Reads and writes on one stream take effect in the order in which they were started.
#include "pairs.hpp"

namespace upcall::testing {
namespace {

class stream_order : public io_test {};
UPCALL_FOR_EVERY_LOOP(stream_order);

task<> write_letters(byte_stream& to, char letter, std::size_t count) {
    const std::string text(count, letter);
    EXPECT_TRUE(co_await to.write_all(bytes_of(std::string_view(text))));
}

TEST_P(stream_order, concurrent_writes_do_not_interleave) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        constexpr std::size_t each = std::size_t{1} << 20;
        std::string got;
        co_await with_scope([&](scope& side) -> task<> {
            for (char letter = 'a'; letter < 'g'; ++letter)
                side.spawn_now(write_letters(here, letter, each));
            got.resize(6 * each);
            EXPECT_TRUE(co_await there.read_exactly(room_in(got)));
        });
        std::string expected;
        for (char letter = 'a'; letter < 'g'; ++letter) expected.append(each, letter);
        EXPECT_TRUE(got == expected);
    });
}

TEST_P(stream_order, texts_are_written_as_they_are) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        const std::string named = "named ";
        const std::string_view view = "view ";
        auto stored = here.write_all(named);
        EXPECT_TRUE(co_await std::move(stored));
        EXPECT_TRUE(co_await here.write_all(view));
        EXPECT_EQ((co_await here.write("literal")).value_or(0), 7U);
        std::string got(18, ' ');
        EXPECT_TRUE(co_await there.read_exactly(room_in(got)));
        EXPECT_EQ(got, "named view literal");
    });
}

TEST_P(stream_order, concurrent_reads_are_served_first_in_first_out) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        std::string first(3, '\0');
        std::string second;
        std::string third(3, '\0');
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](byte_stream& from, std::string& into) -> task<> {
                EXPECT_TRUE(co_await from.read_exactly(room_in(into)));
            }(there, first));
            side.spawn_now([](byte_stream& from, std::string& into) -> task<> {
                into = (co_await from.receive()).value().text();
            }(there, second));
            side.spawn_now([](byte_stream& from, std::string& into) -> task<> {
                EXPECT_TRUE(co_await from.read_exactly(room_in(into)));
            }(there, third));
            EXPECT_TRUE(co_await here.write_all(bytes_of("one")));
            EXPECT_TRUE(co_await here.write_all(bytes_of("2")));
            while (second.empty()) co_await yield();
            EXPECT_TRUE(co_await here.write_all(bytes_of("333")));
        });
        EXPECT_EQ(first, "one");
        EXPECT_EQ(second, "2");
        EXPECT_EQ(third, "333");
    });
}

TEST_P(stream_order, more_than_a_full_queue_is_refused) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        int refused = 0;
        int ended = 0;
        co_await with_scope([&](scope& side) -> task<> {
            for (int reader = 0; reader < 70; ++reader)
                side.spawn_now([](byte_stream& from, int& full, int& end) -> task<> {
                    const auto got = co_await from.receive();
                    if (got.error() == errc::queue_full) ++full;
                    if (got.error() == errc::end_of_stream) ++end;
                }(there, refused, ended));
            while (refused < 6) co_await yield();
            EXPECT_TRUE(co_await here.close());
        });
        EXPECT_EQ(refused, 6);
        EXPECT_EQ(ended, 64);
    });
}

TEST_P(stream_order, a_write_cut_short_fails_those_behind_it) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        transfer cut;
        transfer behind;
        co_await with_scope([&](scope& side) -> task<> {
            scope writers(side.where());
            writers.spawn_now([](byte_stream& to, transfer& how) -> task<> {
                const std::string endless(std::size_t{64} << 20, 'x');
                how = co_await to.write_all(bytes_of(std::string_view(endless)));
            }(here, cut));
            side.spawn_now([](byte_stream& to, transfer& how) -> task<> {
                how = co_await to.write_all(bytes_of("behind"));
            }(here, behind));
            std::string some(1, '\0');
            EXPECT_TRUE(co_await there.read_exactly(room_in(some)));
            writers.cancel();
            co_await writers.join();
        });
        EXPECT_EQ(cut.cause, errc::cancelled);
        EXPECT_GE(cut.bytes, 1U);
        EXPECT_LT(cut.bytes, std::size_t{64} << 20);
        EXPECT_EQ(behind.cause, errc::broken_stream);
        EXPECT_EQ(behind.bytes, 0U);
        // Exactly what was reported went out.
        EXPECT_TRUE(co_await here.shut_down_writing());
        EXPECT_EQ((co_await read_to_end(there)).size() + 1, cut.bytes);
    });
}

}  // namespace
}  // namespace upcall::testing
