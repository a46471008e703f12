#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H5_an_accept_and_its_cancellation_have_one_outcome_and_lose_no_connection) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        steering by;
        const int rounds = race_rounds(GetParam().reduced ? 1'000 : 10'000);
        for (int round = 0; round < rounds; ++round) {
            raw_fd client = raw_socket();
            result<tcp::stream> peer;
            {
                running accepting(home(), listener.accept());
                co_await race(by, accepting, [&] { raw_connect(client, where); });
                peer = std::move(accepting.outcome());
            }
            if (peer) {
                by.value_won();
            } else {
                by.cancel_won();
                CO_ASSERT(peer.error() == errc::cancelled);
                peer = co_await listener.accept();
                CO_ASSERT(peer);
            }
            // Theirs and no other: what is sent here comes out there.
            const std::string sent = std::to_string(round);
            raw_send(client, sent);
            std::string got(sent.size(), ' ');
            CO_ASSERT(co_await peer->read_exactly(bytes_in(got)));
            CO_ASSERT(got == sent);
            raw_reset(client);
        }
        by.check();
    });
}

TEST_P(every_form, H5_an_accept_in_the_kernel_and_its_cancellation_have_one_outcome) {
    run([&]() -> task<> {
        raw_fd raw = raw_listen();
        const address where = raw_address(raw);
        handle listener = home().via().adopt(raw.release(), handle_kind::listener).value();
        steering by;
        const int rounds = race_rounds(GetParam().reduced ? 1'000 : 10'000);
        for (int round = 0; round < rounds; ++round) {
            raw_fd client = raw_socket();
            const auto accept = [&] { return plain({op_kind::accept, listener.record()}); };
            raw_fd peer;
            {
                running accepting(home(), accept());
                co_await race(by, accepting, [&] { raw_connect(client, where); });
                if (auto& outcome = accepting.outcome()) {
                    by.value_won();
                    peer = raw_fd(static_cast<int>(*outcome));
                } else {
                    by.cancel_won();
                    CO_ASSERT(outcome.error() == errc::cancelled);
                }
            }
            if (!peer) peer = raw_fd(static_cast<int>((co_await accept()).value()));
            raw_send(client, "x");
            CO_ASSERT(raw_receive(peer) == "x");
            raw_reset(client);
        }
        by.check();
    });
}

}  // namespace upcall::test
