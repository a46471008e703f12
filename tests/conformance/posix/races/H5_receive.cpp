#include "conformance/fixture.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

/// The text of one round; all have the same length.
std::string message_of(int round) { return std::to_string(10'000'000 + round); }

/// What `read(stream, room)` starts races against its cancellation, round after round. Every byte
/// that was sent arrives, in this round's operation or, when that was cancelled, in the next.
template <class Read>
task<> race_reads(loop& home, int rounds, Read read) {
    auto [mine, peer] = raw_pair();
    auto stream = tcp::stream::adopt(mine.release()).value();
    steering by;

    for (int round = 0; round < rounds; ++round) {
        const std::string sent = message_of(round);
        std::string got(sent.size(), '-');
        {
            running reading(home, read(stream, got));
            co_await race(by, reading, [&] { raw_send(peer, sent); });
            auto& outcome = reading.outcome();
            if (outcome) {
                by.value_won();
                if constexpr (requires { outcome->text(); }) {
                    CO_ASSERT(outcome->text() == sent);
                } else {
                    CO_ASSERT(*outcome == sent.size() && got == sent);
                }
                continue;
            }
            by.cancel_won();
            CO_ASSERT(outcome.error() == errc::cancelled);
            CO_ASSERT(got == std::string(sent.size(), '-'));
        }
        CO_ASSERT(co_await stream.read_exactly(bytes_in(got)));
        CO_ASSERT(got == sent);
    }
    by.check();
    peer.close();
    std::byte byte{};
    const result<std::size_t> end = co_await stream.read(byte_span{&byte, 1});
    EXPECT_EQ(end.error(), errc::end_of_stream);
}

}  // namespace

TEST_P(every_form, H5_a_receive_and_its_cancellation_have_one_outcome_and_lose_no_byte) {
    const int rounds = race_rounds(GetParam().reduced ? 1'000 : 10'000);
    run([&]() -> task<> {
        return race_reads(home(), rounds,
                          [](byte_stream& from, std::string&) { return from.receive(); });
    });
}

TEST_P(every_form, H5_a_read_and_its_cancellation_have_one_outcome_and_lose_no_byte) {
    const int rounds = race_rounds(GetParam().reduced ? 1'000 : 10'000);
    run([&]() -> task<> {
        return race_reads(home(), rounds, [](byte_stream& from, std::string& into) {
            return from.read(bytes_in(into));
        });
    });
}

}  // namespace upcall::test
