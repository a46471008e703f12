#include "conformance/fixture.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, H5_a_file_write_and_its_cancellation_have_one_outcome) {
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            const std::string before(512, '.');
            const std::string content = counted_text(512, static_cast<std::size_t>(round));
            CO_ASSERT(co_await data.write_all_at(bytes_of(before), 0));
            running writing(home(), data.write_at(bytes_of(content), 0));
            co_await race(by, writing, [] {});  // the disk answers without our doing
            std::string room(512, '-');
            CO_ASSERT(co_await data.read_exactly_at(bytes_in(room), 0));
            if (auto& outcome = writing.outcome()) {
                by.value_won();
                CO_ASSERT(*outcome == content.size());
                CO_ASSERT(room == content);
            } else {
                by.cancel_won();
                CO_ASSERT(outcome.error() == errc::cancelled);
                CO_ASSERT(room == before);
            }
        }
        by.check();
    });
}

TEST_P(every_driver_with_files,
       H5_an_ordered_write_and_its_cancellation_have_one_outcome_and_leave_no_gap) {
    run([&]() -> task<> {
        auto log = (co_await ordered_writer::open(scratch("log"))).value();
        steering by;
        std::string expected;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            const std::string content = counted_text(16, static_cast<std::size_t>(round));
            running writing(home(), log.append(bytes_of(content)));
            co_await race(by, writing, [] {});
            const written& outcome = writing.outcome();
            CO_ASSERT(outcome.offset == expected.size());
            if (outcome) {
                by.value_won();
                expected += content;
            } else {
                by.cancel_won();
                CO_ASSERT(outcome.cause == errc::cancelled);
                CO_ASSERT(outcome.bytes == 0);
            }
        }
        by.check();
        CO_ASSERT(co_await log.close());
        std::string room(expected.size(), '-');
        auto data = (co_await file::open(scratch("log"), open_read)).value();
        CO_ASSERT(co_await data.read_exactly_at(bytes_in(room), 0));
        EXPECT_TRUE(room == expected);
        EXPECT_EQ((co_await data.status())->size, expected.size());
    });
}

}  // namespace upcall::test
