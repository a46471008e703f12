#include "conformance/fixture.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, H5_a_file_read_and_its_cancellation_have_one_outcome) {
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        const std::string content = counted_text(1 << 16);
        CO_ASSERT(co_await data.write_all_at(bytes_of(content), 0));
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            std::string room(4096, '-');
            const std::size_t offset = static_cast<std::size_t>(round % 16) * 4096;
            running reading(home(), data.read_at(bytes_in(room), offset));
            co_await race(by, reading, [] {});  // the disk answers without our doing
            if (auto& outcome = reading.outcome()) {
                by.value_won();
                CO_ASSERT(*outcome == room.size());
                CO_ASSERT(content.compare(offset, room.size(), room) == 0);
            } else {
                by.cancel_won();
                CO_ASSERT(outcome.error() == errc::cancelled);
                CO_ASSERT(room == std::string(4096, '-'));
            }
        }
        by.check();
    });
}

}  // namespace upcall::test
