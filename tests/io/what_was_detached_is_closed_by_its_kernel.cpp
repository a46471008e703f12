// A connection that was taken off its loop and never attached to another closes all the same.
#include <upcall/driver/sim_kernel.hpp>
#include <upcall/io/unix.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "support/loop_test.hpp"

namespace upcall::testing {
namespace {

class detached : public loop_test {};
UPCALL_ON_EVERY_DRIVER(detached);

TEST_P(detached, connections_end_when_they_are_dropped) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        {
            auto away = co_await there.detach();
            EXPECT_TRUE(away);
        }
        const auto end = co_await here.receive();
        EXPECT_EQ(end.error(), errc::end_of_stream);
    });
}

// Went wrong: the process lost the descriptor that had the simulated one's number.
TEST(detached_from_a_simulated_kernel, connections_leave_the_systems_descriptors_alone) {
    sim_kernel kernel;
    auto home =
        loop::create([&](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
            return make_sim_driver(kernel, lent);
        });
    ASSERT_TRUE(home);
    int number = -1;
    run_task(**home, [&]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        EXPECT_EQ(kernel.open_descriptors(), 2U);
        auto away = co_await there.detach();
        number = static_cast<int>(away.value().socket.get());
        // So that there is one of that number.
        if (::fcntl(number, F_GETFD) < 0) {
            EXPECT_EQ(::dup2(0, number), number);
        }
        away = failure(errc::closed);
        EXPECT_EQ(kernel.open_descriptors(), 1U);
    }());
    EXPECT_GE(::fcntl(number, F_GETFD), 0);
    home->reset();
    EXPECT_EQ(kernel.open_descriptors(), 0U);
}

}  // namespace
}  // namespace upcall::testing
