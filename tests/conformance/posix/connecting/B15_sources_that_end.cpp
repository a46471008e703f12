#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B15_accepting_goes_on_when_the_kernel_ends_a_source) {
    // Room for few completions: more come than fit, and the kernel ends what it has armed.
    uring_options narrow = GetParam().choice.uring;
    narrow.submission_entries = 4;
    narrow.completion_entries = 8;
    renew_loop(small_loop(), &narrow);
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        std::vector<tcp::stream> accepted;
        for (int round = 0; round < 3; ++round) {
            running first(home(), listener.accept());
            co_await turns(2);
            std::vector<raw_fd> clients;
            for (int count = 0; count < 100; ++count) clients.push_back(raw_connect(where));
            co_await first.ended();
            accepted.push_back(std::move(first.outcome().value()));
            while (accepted.size() < 100) accepted.push_back((co_await listener.accept()).value());
            running none(home(), listener.accept());
            co_await turns(3);
            EXPECT_FALSE(none.done()) << "as many as have connected, and no more";
            none.cancel();
            co_await none.ended();
            accepted.clear();
        }
    });
}

}  // namespace upcall::test
