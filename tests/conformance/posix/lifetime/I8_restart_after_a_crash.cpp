#include <sys/file.h>
#include <unistd.h>

#include <memory>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/child.hpp"

namespace upcall::test {

namespace {

constexpr int restart_tries_max = 1000;

task<> take_over_then_die(loop& home, address where, std::string path) {
    int tries = 0;
    auto bound = tcp::listener::bind(where);
    while (!bound && tries++ < restart_tries_max) {
        static_cast<void>(co_await sleep(std::chrono::milliseconds(1)));
        bound = tcp::listener::bind(where);
    }
    CO_ASSERT(bound);
    raw_fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && tries++ < restart_tries_max)
        static_cast<void>(co_await sleep(std::chrono::milliseconds(1)));
    EXPECT_LT(tries, restart_tries_max);
    running accepting(home, bound->accept());
    auto client = (co_await tcp::connect(where)).value();
    co_await accepting.ended();
    std::byte room[8];
    running reading(home, client.read(room));
    running next(home, bound->accept());
    auto data = file::adopt(lock.release()).value();
    running writing(home, data.write_at(bytes_of("in flight"), 0));
    co_await turns(1);
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);  // without a word to anybody
}

}  // namespace

TEST_P(every_driver, I8_after_a_crash_with_work_in_flight_port_and_lock_are_free_soon) {
    const std::string path = scratch("lock");
    address where;
    {
        const raw_fd probe = raw_listen();
        where = raw_address(probe);
    }
    for (int start = 0; start < 4; ++start) {
        const child_end end = run_in_child([&](std::string&) {
            std::unique_ptr<loop> mine = another_loop();
            scope tasks(mine->root());
            tasks.spawn_now(take_over_then_die(*mine, where, path), "program");
            mine->run_until([&] { return tasks.size() == 0; });
            return 2;
        });
        EXPECT_TRUE(end.succeeded()) << end;
    }
}

}  // namespace upcall::test
