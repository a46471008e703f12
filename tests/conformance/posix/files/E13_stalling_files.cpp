#include "conformance/fixture.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E13_a_file_that_does_not_answer_holds_up_nobody_else) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        run([&]() -> task<> {
            auto slow = (co_await file::open(path, open_read)).value();
            files.stall();
            std::string room(4096, '-');
            running reading(home(), slow.read_at(bytes_in(room), 0));
            while (files.waiting() == 0) co_await turns(1);
            auto [client, server] = co_await connected();
            for (int round = 0; round < 20; ++round) {
                std::byte byte{};
                EXPECT_TRUE(co_await client.write_all(bytes_of("?")));
                EXPECT_TRUE(co_await server.read_exactly({&byte, 1}));
            }
            EXPECT_FALSE(reading.done());
            reading.cancel();
            co_await turns(5);
            EXPECT_FALSE(reading.done()) << "its buffer is still the file system's";
            files.answer();
            co_await reading.ended();
            if (reading.outcome()) {
                EXPECT_EQ(room, std::string(4096, 'x'));
            } else {
                EXPECT_EQ(reading.outcome().error(), errc::cancelled);
                EXPECT_EQ(room, std::string(4096, '-'));
            }
        });
    });
}

}  // namespace upcall::test
