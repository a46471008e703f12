#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, D9_any_number_of_descriptors_passes_and_none_is_lost) {
    run([&]() -> task<> {
        auto [first, second] = unix_socket::pair().value();
        raw_fd passed(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        for (const std::size_t count : std::initializer_list<std::size_t>{0, 1, 253}) {
            const std::size_t open = open_descriptors("/dev/null");
            const std::vector<native_handle> given(count, passed.get());
            running sending(home(), first.write_with(bytes_of("with"), given));
            std::byte room[16];
            std::vector<descriptor> arrived;
            auto got = co_await second.read_with(room, arrived, 253);
            EXPECT_TRUE(got);
            co_await sending.ended();
            EXPECT_TRUE(sending.outcome());
            EXPECT_EQ(arrived.size(), count);
            for (const descriptor& one : arrived)
                EXPECT_EQ(::fcntl(static_cast<int>(one.get()), F_GETFD), FD_CLOEXEC);
            arrived.clear();
            EXPECT_EQ(open_descriptors("/dev/null"), open);
        }
        const std::vector<native_handle> too_many(254, passed.get());
        EXPECT_EQ((co_await first.write_with(bytes_of("x"), too_many)).cause,
                  std::errc::invalid_argument);
        EXPECT_EQ((co_await first.write_with({}, std::span(too_many).first(1))).cause,
                  std::errc::invalid_argument);
    });
}

TEST_P(every_driver, D9_descriptors_without_room_are_closed) {
    run([&]() -> task<> {
        auto [first, second] = unix_socket::datagram::pair().value();
        raw_fd passed(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        const std::vector<native_handle> given(5, passed.get());
        const std::size_t open = open_descriptors("/dev/null");
        std::byte room[16];
        std::vector<descriptor> arrived;
        EXPECT_TRUE(co_await first.send_with(bytes_of("five"), given));
        auto two = (co_await second.receive_with(room, arrived, 2)).value();
        EXPECT_TRUE(two.descriptors_lost);
        EXPECT_LE(arrived.size(), 3U);
        arrived.clear();
        EXPECT_TRUE(co_await first.send_with(bytes_of("five"), given));
        auto none = (co_await second.receive(room)).value();
        EXPECT_EQ(none.size, 4U);
        EXPECT_EQ(open_descriptors("/dev/null"), open);
    });
}

}  // namespace upcall::test
