#include "conformance/fixture.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, G7_a_deadline_waits_for_a_kernel_that_cannot_be_interrupted) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        run([&]() -> task<> {
            auto slow = (co_await file::open(path, open_read)).value();
            files.stall();
            std::string room(4096, '-');
            running reading(home(), slow.read_at(bytes_in(room), 0));
            while (files.waiting() == 0) co_await turns(1);
            reading.cancel(cancel_cause::deadline);
            EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(20)));
            EXPECT_FALSE(reading.done());
            files.answer();
            co_await reading.ended();
            // What happened is told: the bytes, or that there are none.
            if (reading.outcome()) {
                EXPECT_EQ(room, std::string(4096, 'x'));
            } else {
                EXPECT_EQ(reading.outcome().error(), errc::deadline_exceeded);
                EXPECT_EQ(room, std::string(4096, '-'));
            }
        });
    });
}

}  // namespace upcall::test
