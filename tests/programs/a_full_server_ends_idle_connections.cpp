// Where there is no room for a new client, a connection that waits for its next request gives up
// its place, on whichever loop it is. Went wrong: each loop looked among its own only.
#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

class full_server : public ::testing::TestWithParam<std::string> {
  protected:
    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(full_server);

TEST_P(full_server, ends_idle_connections_on_all_loops) {
    served_site server(site_, {"--driver", GetParam(), "--loops", "2", "--max-connections", "1",
                               "--idle-timeout", "10m"});
    // The kernel chooses the loops; that it is the same one each time is hardly possible.
    http_client idle = server.connect();
    ASSERT_TRUE(idle.get("/"));
    ASSERT_EQ(idle.response().status, 200);
    for (int round = 0; round < 16; ++round) {
        http_client next = server.connect();
        ASSERT_TRUE(next.get("/"));
        ASSERT_EQ(next.response().status, 200) << "in round " << round;
        EXPECT_EQ(idle.rest(), "");
        EXPECT_EQ(idle.end(), stream_end::ended);
        idle = std::move(next);
    }
}

}  // namespace
}  // namespace upcall::testing
