#include "conformance/fixture.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, H5_a_connect_and_its_cancellation_have_one_outcome_and_lose_no_descriptor) {
    run([&]() -> task<> {
        raw_fd listener = raw_listen();
        const address where = raw_address(listener);
        const auto accept = [&] {
            return raw_fd(
                ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        };
        checked(::fcntl(listener.get(), F_SETFL, O_NONBLOCK), "O_NONBLOCK");
        co_await turns(2);
        const std::size_t open = open_sockets();
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            {
                running connecting(home(), tcp::connect(where));
                co_await race(by, connecting, [] {});  // the kernel answers without our doing
                if (auto& outcome = connecting.outcome()) {
                    by.value_won();
                    raw_fd peer = accept();
                    CO_ASSERT(peer);
                    raw_send(peer, "x");
                    std::byte byte{};
                    CO_ASSERT((co_await outcome->read({&byte, 1})).value_or(0) == 1);
                    raw_reset(peer);
                } else {
                    by.cancel_won();
                    CO_ASSERT(outcome.error() == errc::cancelled ||
                              outcome.error() == errc::interrupted);
                }
            }
            // A connection that came about and was not wanted is closed by its own side.
            while (raw_fd unwanted = accept()) raw_reset(unwanted);
        }
        by.check();
        while (open_sockets() > open) {
            co_await turns(1);
            while (raw_fd unwanted = accept()) raw_reset(unwanted);
        }
    });
}

}  // namespace upcall::test
