#include <memory>

#include "conformance/fixture.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files,
       H12_an_owner_that_goes_while_the_kernel_still_has_the_buffer_waits_for_it) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        auto room = std::make_unique<std::string>(4096, '-');
        run([&]() -> task<> {
            std::optional<file> slow = (co_await file::open(path, open_read)).value();
            files.stall();
            running reading(home(), slow->read_at(bytes_in(*room), 0));
            while (files.waiting() == 0) co_await turns(1);
            slow.reset();
            co_await turns(3);
            EXPECT_FALSE(reading.done()) << "the kernel may still write";
            files.answer();
            co_await reading.ended();
            if (reading.outcome()) {
                EXPECT_EQ(*room, std::string(4096, 'x'));
            } else {
                EXPECT_EQ(reading.outcome().error(), errc::closed);
            }
        });
    });
}

}  // namespace upcall::test
