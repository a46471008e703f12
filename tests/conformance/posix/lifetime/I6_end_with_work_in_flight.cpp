#include <vector>

#include <upcall/runtime/program.hpp>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

struct everything_in_flight {
    black_hole hole;
    std::string room = std::string(64, '-');
    std::string flood = std::string(6'000'000, 'x');
    int begun = 0;
    int ended = 0;

    task<> connect() {
        ++begun;
        EXPECT_FALSE(co_await tcp::connect(hole.where));
        ++ended;
    }
    task<> accept() {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        ++begun;
        EXPECT_FALSE(co_await listener.accept());
        ++ended;
    }
    task<> wait() {
        ++begun;
        EXPECT_FALSE(co_await sleep_until(never));
        ++ended;
    }
    task<> talk() {
        auto [client, server] = co_await connected();
        ++begun;
        auto write = [&]() -> task<> { EXPECT_FALSE(co_await client.write_all(bytes_of(flood))); };
        auto read = [&]() -> task<> { EXPECT_FALSE(co_await client.read(bytes_in(room))); };
        auto body = [&](scope& both) -> task<> {
            both.spawn_now(write(), "write");
            both.spawn_now(read(), "read");
            co_return;
        };
        co_await with_scope(body);
        ++ended;
    }
    task<> use_files(std::string path) {
        auto data = (co_await file::open(path, open_read | open_write | open_create)).value();
        ++begun;
        while (co_await data.write_all_at(bytes_of(flood).first(4096), 0)) {
        }
        ++ended;
    }
};

}  // namespace

TEST_P(every_driver_with_files,
       I6_a_program_that_ends_with_everything_in_flight_waits_for_the_kernel) {
    everything_in_flight all;
    const std::string path = scratch("data");
    {
        program ending(home());
        ending.tasks().spawn_now(all.connect(), "connect");
        ending.tasks().spawn_now(all.accept(), "accept");
        ending.tasks().spawn_now(all.wait(), "wait");
        ending.tasks().spawn_now(all.talk(), "talk");
        ending.tasks().spawn_now(all.use_files(path), "files");
        turn_until([&] { return all.begun == 5; });
        for (int turn = 0; turn < 20; ++turn) home().turn(loop::wait::none);
        EXPECT_EQ(all.ended, 0);
    }
    EXPECT_EQ(all.ended, 5);
    // The memory goes; whoever still wrote to it would be caught by a sanitizer.
    std::string().swap(all.room);
    std::string().swap(all.flood);
    end_loop();
}

}  // namespace upcall::test
