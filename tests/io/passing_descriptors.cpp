// Descriptors travel between the ends of a Unix socket: all of them arrive, or are closed and told
// of. The fixture counts what is left open.
#include <sys/stat.h>

#include <limits>
#include <upcall/io/unix.hpp>
#include <upcall/task/timeout.hpp>

#include "pairs.hpp"

namespace upcall::testing {
namespace {

class passing_descriptors : public io_test {};
UPCALL_FOR_EVERY_LOOP(passing_descriptors);

/// Copies of standard input, so many.
std::vector<descriptor> copies(std::size_t count) {
    std::vector<descriptor> made;
    for (std::size_t at = 0; at < count; ++at) made.push_back(descriptor::copy_of(0).value());
    return made;
}

std::vector<native_handle> numbers_of(const std::vector<descriptor>& owned) {
    std::vector<native_handle> numbers;
    for (const descriptor& one : owned) numbers.push_back(one.get());
    return numbers;
}

std::uint64_t inode_of(native_handle native) {
    struct stat status{};
    EXPECT_EQ(::fstat(static_cast<int>(native), &status), 0);
    return status.st_ino;
}

TEST_P(passing_descriptors, none_one_and_as_many_as_there_may_be) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::datagram::pair().value();
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, unix_socket::passed_max}) {
            const auto passed = copies(count);
            const auto numbers = numbers_of(passed);
            EXPECT_TRUE(co_await here.send_with(bytes_of("look"), numbers));
            std::vector<descriptor> arrived;
            std::string buffer(8, '\0');
            const auto got =
                (co_await there.receive_with(room_in(buffer), arrived, unix_socket::passed_max))
                    .value();
            EXPECT_EQ(got.size, 4U);
            EXPECT_FALSE(got.descriptors_lost);
            EXPECT_EQ(arrived.size(), count);
            for (const descriptor& one : arrived) EXPECT_EQ(inode_of(one.get()), inode_of(0));
        }
        const auto numbers = std::vector<native_handle>(unix_socket::passed_max + 1, 0);
        EXPECT_EQ((co_await here.send_with(bytes_of("x"), numbers)).error(),
                  std::errc::invalid_argument);
        const std::vector<native_handle> wrong(1, 9999);
        EXPECT_EQ((co_await here.send_with(bytes_of("x"), wrong)).error(),
                  std::errc::bad_file_descriptor);
    });
}

TEST_P(passing_descriptors, those_without_room_are_closed_and_told_of) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::datagram::pair().value();
        const auto passed = copies(20);
        const auto numbers = numbers_of(passed);
        std::string buffer(8, '\0');
        for (const std::size_t room : {std::size_t{0}, std::size_t{1}, std::size_t{19}}) {
            EXPECT_TRUE(co_await here.send_with(bytes_of("many"), numbers));
            std::vector<descriptor> arrived;
            const auto got = (co_await there.receive_with(room_in(buffer), arrived, room)).value();
            EXPECT_TRUE(got.descriptors_lost);
            EXPECT_LE(arrived.size(), room);
        }
        EXPECT_TRUE(co_await here.send_with(bytes_of("many"), numbers));
        EXPECT_TRUE((co_await there.receive(room_in(buffer))).value().descriptors_lost);
        // What nobody ever receives is closed with the socket.
        EXPECT_TRUE(co_await here.send_with(bytes_of("unread"), numbers));
    });
}

// Went wrong: memory was asked for as many as the caller would take.
TEST_P(passing_descriptors, that_may_be_any_number_are_those_of_one_message) {
    run([]() -> task<> {
        constexpr auto any = std::numeric_limits<std::size_t>::max();
        const auto passed = copies(unix_socket::passed_max);
        const auto numbers = numbers_of(passed);
        std::string buffer(8, '\0');
        std::vector<descriptor> arrived;
        auto [here, there] = unix_socket::pair().value();
        EXPECT_TRUE(co_await here.write_with(bytes_of("x"), numbers));
        const auto got = (co_await there.read_with(room_in(buffer), arrived, any)).value();
        EXPECT_FALSE(got.descriptors_lost);
        EXPECT_EQ(arrived.size(), unix_socket::passed_max);
        auto [left, right] = unix_socket::sequential_pair().value();
        EXPECT_TRUE(co_await left.send_with(bytes_of("x"), numbers));
        const auto message = (co_await right.receive_with(room_in(buffer), arrived, any)).value();
        EXPECT_FALSE(message.descriptors_lost);
        EXPECT_EQ(arrived.size(), 2 * unix_socket::passed_max);
    });
}

TEST_P(passing_descriptors, over_a_stream_they_come_with_their_byte) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        auto passed = copies(3);
        EXPECT_TRUE(co_await here.write_all(bytes_of("plain ")));
        EXPECT_TRUE(co_await here.write_with(bytes_of("with"), numbers_of(passed)));
        EXPECT_TRUE(co_await here.write_all(bytes_of(" and without")));
        passed.clear();  // copies travel
        EXPECT_EQ((co_await here.write_with({}, {})).cause, std::errc::invalid_argument);

        std::vector<descriptor> arrived;
        std::string text;
        while (text.size() < 22) {
            std::string buffer(64, '\0');
            const auto got = (co_await there.read_with(room_in(buffer), arrived)).value();
            EXPECT_FALSE(got.descriptors_lost);
            EXPECT_LE(arrived.size(), 3U);
            text += buffer.substr(0, got.size);
            // Bytes before the descriptors never come with them.
            EXPECT_TRUE(text.size() > 6 || arrived.empty());
        }
        EXPECT_EQ(text, "plain with and without");
        EXPECT_EQ(arrived.size(), 3U);
        EXPECT_TRUE(co_await here.close());
        std::string buffer(8, '\0');
        EXPECT_EQ((co_await there.read_with(room_in(buffer), arrived)).error(),
                  errc::end_of_stream);
    });
}

// Went wrong: the receive stayed armed, and took the bytes that descriptors came with.
TEST_P(passing_descriptors, a_stream_that_takes_them_reads_nothing_ahead) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        const auto passed = copies(1);
        std::vector<descriptor> arrived;
        std::string buffer(8, '\0');
        for (std::size_t round = 1; round <= 3; ++round) {
            EXPECT_TRUE(co_await here.write_with(bytes_of("with"), numbers_of(passed)));
            for (int turn = 0; turn < 5; ++turn) co_await sleep(std::chrono::milliseconds(1));
            const auto got = (co_await there.read_with(room_in(buffer), arrived)).value();
            EXPECT_EQ(got.size, 4U);
            EXPECT_EQ(arrived.size(), round);
            EXPECT_TRUE(co_await here.write_all(bytes_of("plain")));
            EXPECT_EQ((co_await there.receive()).value().text(), "plain");
        }
    });
}

// Went wrong: the receive outlived who had asked for it, and took the bytes that descriptors came
// with.
TEST_P(passing_descriptors, a_receive_that_was_cancelled_takes_nothing_with_them) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        const auto passed = copies(1);
        std::vector<descriptor> arrived;
        std::string buffer(8, '\0');
        EXPECT_TRUE(co_await here.write_with(bytes_of("with"), numbers_of(passed)));
        EXPECT_TRUE(co_await there.read_with(room_in(buffer), arrived));
        const auto late = co_await timeout(std::chrono::milliseconds(1), there.receive());
        EXPECT_EQ(late.error(), errc::deadline_exceeded);
        for (int turn = 0; turn < 5; ++turn) co_await sleep(std::chrono::milliseconds(1));
        EXPECT_TRUE(co_await here.write_with(bytes_of("with"), numbers_of(passed)));
        for (int turn = 0; turn < 5; ++turn) co_await sleep(std::chrono::milliseconds(1));
        EXPECT_EQ((co_await there.read_with(room_in(buffer), arrived)).value().size, 4U);
        EXPECT_EQ(arrived.size(), 2U);
    });
}

// Went wrong: who wanted descriptors was behind a receive, and moved up when that was cancelled.
TEST_P(passing_descriptors, behind_a_receive_that_is_cancelled) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        const auto passed = copies(1);
        std::vector<descriptor> arrived;
        std::string buffer(8, '\0');
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](unix_socket::stream& from) -> task<> {
                const auto late = co_await timeout(std::chrono::milliseconds(1), from.receive());
                EXPECT_EQ(late.error(), errc::deadline_exceeded);
            }(there));
            side.spawn_now([](unix_socket::stream& from, std::string& room,
                              std::vector<descriptor>& into) -> task<> {
                EXPECT_EQ((co_await from.read_with(room_in(room), into)).value().size, 4U);
            }(there, buffer, arrived));
            for (int turn = 0; turn < 5; ++turn) co_await sleep(std::chrono::milliseconds(1));
            EXPECT_TRUE(co_await here.write_with(bytes_of("with"), numbers_of(passed)));
        });
        EXPECT_EQ(arrived.size(), 1U);
    });
}

TEST_P(passing_descriptors, with_more_bytes_than_fit_at_once) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        const auto passed = copies(2);
        const std::string data = pattern(std::size_t{3} << 20);
        std::string got;
        std::vector<descriptor> arrived;
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](unix_socket::stream& to, const std::string& text,
                              std::vector<native_handle> numbers) -> task<> {
                const transfer sent =
                    co_await to.write_with(bytes_of(std::string_view(text)), numbers);
                EXPECT_TRUE(sent);
                EXPECT_EQ(sent.bytes, text.size());
                EXPECT_TRUE(co_await to.shut_down_writing());
            }(here, data, numbers_of(passed)));
            std::string buffer(65536, '\0');
            while (auto some = co_await there.read_with(room_in(buffer), arrived))
                got.append(buffer, 0, some->size);
        });
        EXPECT_TRUE(got == data);
        EXPECT_EQ(arrived.size(), 2U);
    });
}

TEST_P(passing_descriptors, a_connection_itself) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::sequential_pair().value();
        auto [client, server] = co_await connected_pair();
        const descriptor given(server.release().value());
        const native_handle number = given.get();
        EXPECT_TRUE(co_await here.send_with(bytes_of("yours"), std::span(&number, 1)));
        std::vector<descriptor> arrived;
        std::string buffer(8, '\0');
        EXPECT_EQ((co_await there.receive_with(room_in(buffer), arrived)).value().size, 5U);
        if (arrived.size() != 1) {
            ADD_FAILURE() << "nothing arrived";
            co_return;
        }
        auto adopted = tcp::stream::adopt(arrived.front().get()).value();
        arrived.front().release();
        EXPECT_TRUE(co_await client.write_all(bytes_of("over there?")));
        EXPECT_EQ((co_await adopted.receive()).value().text(), "over there?");
    });
}

TEST_P(passing_descriptors, a_cancelled_receive_leaves_them_for_the_next) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::datagram::pair().value();
        std::vector<descriptor> arrived;
        co_await with_scope([&](scope& side) -> task<> {
            scope waiting(side.where());
            waiting.spawn_now(
                [](unix_socket::datagram& from, std::vector<descriptor>& into) -> task<> {
                    std::string buffer(8, '\0');
                    const auto got = co_await from.receive_with(room_in(buffer), into);
                    EXPECT_EQ(got.error(), errc::cancelled);
                }(there, arrived));
            co_await yield();
            waiting.cancel();
            co_await waiting.join();
        });
        const auto passed = copies(1);
        EXPECT_TRUE(co_await here.send_with(bytes_of("x"), numbers_of(passed)));
        std::string buffer(8, '\0');
        EXPECT_TRUE(co_await there.receive_with(room_in(buffer), arrived));
        EXPECT_EQ(arrived.size(), 1U);
    });
}

}  // namespace
}  // namespace upcall::testing
