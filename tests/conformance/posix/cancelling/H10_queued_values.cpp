#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H10_what_a_source_had_brought_before_it_was_cancelled_is_delivered) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        raw_fd peer = raw_connect(listener.local_address().value());
        auto stream = (co_await listener.accept()).value();
        std::string got;
        std::string sent;
        for (int round = 0; round < 50; ++round) {
            running receiving(home(), stream.receive());
            running waiting(home(), stream.receive());
            co_await turns(round % 3);
            for (int part = 0; part < 3; ++part) {
                const std::string text = std::to_string(round) + "." + std::to_string(part) + " ";
                raw_send(peer, text);
                sent += text;
                if (round % 2) co_await turns(1);
            }
            waiting.cancel();
            co_await receiving.ended();
            co_await waiting.ended();
            for (auto* one : {&receiving, &waiting})
                if (one->outcome()) got += one->outcome()->text();
            std::string rest(sent.size() - got.size(), ' ');
            EXPECT_TRUE(co_await stream.read_exactly(bytes_in(rest)));
            got += rest;
            EXPECT_EQ(got, sent);
        }
    });
}

}  // namespace upcall::test
