#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I10_descriptors_with_the_numbers_of_standard_streams_work) {
    in_child(
        [&] {
            run([&]() -> task<> {
                auto [client, server] = co_await connected();
                EXPECT_TRUE(co_await client.write_all(bytes_of("on number zero, one or two")));
                EXPECT_TRUE(co_await client.shut_down_writing());
                EXPECT_EQ((co_await read_to_end(server)).text, "on number zero, one or two");
                auto data =
                    (co_await file::open(scratch("data"), open_read | open_write | open_create))
                        .value();
                EXPECT_TRUE(co_await data.write_all_at(bytes_of("file"), 0));
                std::string got(4, ' ');
                EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(got), 0));
                EXPECT_EQ(got, "file");
            });
        },
        []() -> std::string {
            std::fflush(nullptr);
            for (const int number : {0, 1, 2}) ::close(number);
            return "";
        });
}

}  // namespace upcall::test
