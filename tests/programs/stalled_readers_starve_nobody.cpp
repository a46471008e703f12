// Clients that ask for a large file, do not read it, and go on sending: what they have sent must
// not keep the loop's receive buffers from the others. Went wrong: 241 of them held all 4,096, and
// then nothing was received on the loop any more.
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

class stalled_readers : public ::testing::TestWithParam<std::string> {
  protected:
    /// Until the peer's kernel has it, so that it is not received together with what follows.
    static void drain(const http_client& client) {
        for (int unsent = 1; unsent > 0;) ASSERT_EQ(::ioctl(client.socket(), SIOCOUTQ, &unsent), 0);
    }
    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(stalled_readers);

TEST_P(stalled_readers, starve_nobody) {
    if (GetParam() == "blocking") GTEST_SKIP() << "blocking: each waits on a thread of its own";
    constexpr std::size_t stalled_count = 300;
    site_.put("large", scratch_site::pattern(8'000'000));
    served_site server(site_, {"--driver", GetParam(), "--loops", "1", "--send-timeout", "10m",
                               "--min-send-rate", "0"});
    std::vector<http_client> stalled;
    for (std::size_t count = 0; count < stalled_count; ++count) {
        stalled.emplace_back(server.url(), 4'096);
        ASSERT_TRUE(stalled.back().connected());
        ASSERT_TRUE(stalled.back().get("/large"));
    }
    // Each has the beginning of its response, so that none is waiting for a request.
    for (http_client& each : stalled) ASSERT_TRUE(each.read_some());
    for (int round = 0; round < 20; ++round) {
        for (http_client& each : stalled) {
            ASSERT_TRUE(each.send("G"));
            drain(each);
        }
        // Also a sign that the loop has received the bytes of this round apart from the next.
        ASSERT_EQ(server.get("/").status, 200) << "after " << round + 1 << " bytes of each";
    }
    // What was sent ahead was kept, in order: it is the beginning of the next request.
    http_client& one = stalled.front();
    ASSERT_TRUE(one.send(" / HTTP/1.1\r\n\r\n"));
    EXPECT_EQ(one.response().body, scratch_site::pattern(8'000'000));
    EXPECT_EQ(one.response().status, 501) << "a method of twenty letters";
}

}  // namespace
}  // namespace upcall::testing
