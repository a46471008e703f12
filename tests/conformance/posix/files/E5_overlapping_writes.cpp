#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files,
       E5_overlapping_transfers_in_flight_all_complete_with_bytes_of_one_of_them) {
    constexpr std::size_t size = 65536;
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        const std::string a(size, 'a');
        const std::string b(size, 'b');
        for (int round = 0; round < 5; ++round) {
            std::string seen(size, '?');
            running first(home(), data.write_all_at(bytes_of(a), 0));
            running second(home(), data.write_all_at(bytes_of(b), size / 2));
            running reading(home(), data.read_at(bytes_in(seen), 0));
            co_await first.ended();
            co_await second.ended();
            co_await reading.ended();
            EXPECT_TRUE(first.outcome());
            EXPECT_TRUE(second.outcome());
            EXPECT_TRUE(reading.outcome());
            std::string got(size * 3 / 2, ' ');
            EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(got), 0));
            EXPECT_EQ(got.substr(0, size / 2), a.substr(0, size / 2));
            EXPECT_EQ(got.substr(size), b.substr(0, size / 2));
            EXPECT_EQ(got.find_first_not_of("ab"), std::string::npos);
        }
    });
}

}  // namespace upcall::test
