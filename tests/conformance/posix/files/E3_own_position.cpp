#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E3_positioned_transfers_leave_the_descriptors_own_position_alone) {
    run([&]() -> task<> {
        const std::string path = scratch("data");
        raw_fd mine(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
        EXPECT_EQ(::write(mine.get(), "0123456789", 10), 10);
        EXPECT_EQ(::lseek(mine.get(), 4, SEEK_SET), 4);
        auto adopted = file::adopt(::fcntl(mine.get(), F_DUPFD_CLOEXEC, 0)).value();
        std::string room(3, ' ');
        EXPECT_EQ((co_await adopted.read_at(bytes_in(room), 7)).value(), 3U);
        EXPECT_EQ(room, "789");
        EXPECT_EQ((co_await adopted.write_at(bytes_of("ab"), 0)).value(), 2U);
        EXPECT_EQ(::lseek(mine.get(), 0, SEEK_CUR), 4);
        EXPECT_EQ(::read(mine.get(), room.data(), 2), 2);
        EXPECT_EQ(room.substr(0, 2), "45");
    });
}

}  // namespace upcall::test
