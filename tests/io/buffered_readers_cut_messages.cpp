// `buffered_reader`: messages come out whole however the stream was cut, and limits hold.
#include <upcall/io/buffered_reader.hpp>

#include <string>
#include <upcall/task/future.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <vector>

#include "support/loop_test.hpp"
#include "support/stream_ends.hpp"

namespace upcall {
namespace {

class buffered_readers : public testing::loop_test {
  protected:
    /// Writes `text` in pieces of `size`, each on its way before the next is written, then ends.
    static task<> feed(byte_stream& to, std::string text, std::size_t size) {
        for (std::size_t at = 0; at < text.size(); at += size) {
            const auto sent = co_await to.write_all(bytes_of(text.substr(at, size)));
            EXPECT_TRUE(sent);
            for (int turn = 0; turn < 2; ++turn) co_await yield();
        }
        EXPECT_TRUE(co_await to.shut_down_writing());
    }

    /// Runs `body(reader)` beside a writer of `text` in pieces of `size`.
    template <class Body>
    void read(const std::string& text, std::size_t size, Body body) {
        testing::stream_ends ends(home());
        run([&]() -> task<> {
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(feed(ends.here, text, size), "feed");
                buffered_reader from(ends.there);
                co_await body(from);
            });
        });
    }
};
UPCALL_ON_EVERY_DRIVER(buffered_readers);

using reader = buffered_reader<byte_stream>;

TEST_P(buffered_readers, find_lines_however_they_were_cut) {
    const std::string text = "GET / HTTP/1.1\r\nHost: x\n\r\n\nbody and more\r\n";
    const std::vector<std::string> lines = {"GET / HTTP/1.1", "Host: x", "", "", "body and more"};
    for (std::size_t size = 1; size <= text.size(); ++size)
        read(text, size, [&](reader& from) -> task<> {
            std::vector<std::string> got;
            for (;;) {
                const auto line = co_await from.read_line(14 + 1);
                if (!line) {
                    EXPECT_EQ(line.error(), errc::end_of_stream);
                    break;
                }
                got.emplace_back(*line);
            }
            EXPECT_EQ(got, lines) << "in pieces of " << size;
            const auto again = co_await from.read_line(10);
            EXPECT_EQ(again.error(), errc::end_of_stream);
        });
}

TEST_P(buffered_readers, find_delimiters_that_were_cut) {
    const std::string text = "one--two-three----";
    for (std::size_t size = 1; size <= text.size(); ++size)
        read(text, size, [&](reader& from) -> task<> {
            std::string got;
            for (int part = 0; part < 3; ++part) {
                const auto one = co_await from.read_until("--", 9);
                EXPECT_TRUE(one);
                if (one) got += std::string(*one) + "|";
            }
            EXPECT_EQ(got, "one|two-three||") << "in pieces of " << size;
            const auto end = co_await from.read_until("--", 9);
            EXPECT_EQ(end.error(), errc::end_of_stream);
        });
}

TEST_P(buffered_readers, hold_their_limit_to_the_byte) {
    for (const std::size_t size : {1U, 3U, 64U}) {
        read("12345\n123456\n", size, [&](reader& from) -> task<> {
            const auto fits = co_await from.read_until("\n", 5);
            EXPECT_TRUE(fits);
            const auto longer = co_await from.read_until("\n", 5);
            EXPECT_EQ(longer.error(), errc::limit_exceeded);
            EXPECT_TRUE(from.buffered().starts_with("123456")) << "it is left where it was";
            const auto with_more_room = co_await from.read_until("\n", 6);
            EXPECT_EQ(with_more_room.value(), "123456");
        });
        read(std::string(200, 'x'), size, [&](reader& from) -> task<> {
            const auto endless = co_await from.read_until("\r\n", 100);
            EXPECT_EQ(endless.error(), errc::limit_exceeded) << "before the end was seen";
        });
    }
}

TEST_P(buffered_readers, tell_an_end_inside_a_message) {
    for (const std::size_t size : {1U, 64U})
        read("whole\nhalf", size, [&](reader& from) -> task<> {
            const auto whole = co_await from.read_line(100);
            EXPECT_EQ(whole.value(), "whole");
            const auto half = co_await from.read_line(100);
            EXPECT_EQ(half.error(), errc::unexpected_end);
            EXPECT_EQ(from.buffered(), "half");
        });
}

TEST_P(buffered_readers, read_exactly_what_was_read_ahead_first) {
    const std::string text = "4\nbody5\nother12";
    for (std::size_t size = 1; size <= text.size(); ++size)
        read(text, size, [&](reader& from) -> task<> {
            std::string got;
            for (int message = 0; message < 2; ++message) {
                const auto length = co_await from.read_line(10);
                EXPECT_TRUE(length);
                if (!length) co_return;
                std::string body(static_cast<std::size_t>(std::stoi(std::string(*length))), ' ');
                const auto read = co_await from.read_exactly(
                    std::as_writable_bytes(std::span(body.data(), body.size())));
                EXPECT_TRUE(read);
                EXPECT_EQ(read.bytes, body.size());
                got += body + "|";
            }
            EXPECT_EQ(got, "body|other|") << "in pieces of " << size;
            std::byte room[4];
            const auto none = co_await from.read_exactly({room, 0});
            EXPECT_TRUE(none);
            const auto short_of = co_await from.read_exactly(room);
            EXPECT_EQ(short_of.bytes, 2U);
            EXPECT_EQ(short_of.cause, errc::unexpected_end);
            const auto ended = co_await from.read_exactly(room);
            EXPECT_EQ(ended.bytes, 0U);
            EXPECT_EQ(ended.cause, errc::end_of_stream);
        });
}

TEST_P(buffered_readers, lose_nothing_to_a_cancellation) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    buffered_reader from(ends.there);
    const auto finish = [&](future<transfer>& sent) {
        home().run_until([&] { return sent.ready(); });
    };
    future<std::string_view> line = submit(tasks, from.read_line(100));
    future<transfer> sent = submit(tasks, ends.here.write_all(bytes_of("first ")));
    finish(sent);
    home().run_until([&] { return from.buffered() == "first "; });
    line.cancel();
    home().run_until([&] { return line.ready(); });
    EXPECT_EQ(line.get().error(), errc::cancelled);
    EXPECT_EQ(from.buffered(), "first ");
    line = submit(tasks, from.read_line(100));
    sent = submit(tasks, ends.here.write_all(bytes_of("line\n")));
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(line.get().value(), "first line");
}

TEST_P(buffered_readers, end_with_stop_between_messages_and_not_inside_one) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    buffered_reader from(ends.there);
    future<std::string_view> line = submit(tasks, from.read_line(100));
    future<transfer> sent = submit(tasks, ends.here.write_all(bytes_of("in ")));
    home().run_until([&] { return sent.ready() && from.buffered() == "in "; });
    tasks.stop();
    home().run_ready();
    EXPECT_FALSE(line.ready());
    sent = submit(tasks, ends.here.write_all(bytes_of("hand\n")));
    home().run_until([&] { return line.ready(); });
    EXPECT_EQ(line.get().value(), "in hand");
    line = submit(tasks, from.read_line(100));
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(line.get().error(), errc::cancelled);
}

TEST_P(buffered_readers, hold_no_buffer_while_they_wait_for_a_message) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    buffered_reader from(ends.there);
    const auto lent = [&] {
        return home().buffers().outstanding() - home().via().buffers_in_stock();
    };
    for (int round = 0; round < 3; ++round) {
        future<std::string_view> line = submit(tasks, from.read_line(100));
        home().run_ready();
        EXPECT_FALSE(line.ready());
        EXPECT_EQ(from.buffered(), "");
        EXPECT_EQ(lent(), 0U);
        start(tasks, ends.here.write_all(bytes_of("line\n")), [](transfer) {});
        home().run_until([&] { return tasks.size() == 0; });
        EXPECT_EQ(line.get().value(), "line");
    }
}

TEST_P(buffered_readers, refuse_an_empty_delimiter) {
    testing::stream_ends ends(home());
    run([&]() -> task<> {
        buffered_reader from(ends.there);
        const auto nothing = co_await from.read_until("", 10);
        EXPECT_EQ(nothing.error(), std::errc::invalid_argument);
    });
}

}  // namespace
}  // namespace upcall
