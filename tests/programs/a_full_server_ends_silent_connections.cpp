// Who connects and says nothing does not keep a full server from others. Went wrong: with every
// place taken by a silent peer, a request waited until the first of them ran into its time limit.
#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

class server_full_of_silence : public ::testing::TestWithParam<std::string> {
  protected:
    std::vector<std::string> words(const std::string& loops, const std::string& places) const {
        return {"--driver",          GetParam(), "--loops",          loops,
                "--max-connections", places,     "--header-timeout", "10m",
                "--idle-timeout",    "10m"};
    }

    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(server_full_of_silence);

TEST_P(server_full_of_silence, answers_who_comes_next) {
    served_site server(site_, words("2", "4"));
    std::vector<http_client> silent;
    for (int count = 0; count < 8; ++count) {
        silent.push_back(server.connect());
        ASSERT_TRUE(silent.back().connected());
    }
    for (int count = 0; count < 2; ++count) {
        http_client next = server.connect();
        ASSERT_TRUE(next.get("/"));
        EXPECT_EQ(next.response().status, 200);
    }
    EXPECT_EQ(server.stop(), 0);
}

TEST_P(server_full_of_silence, ends_the_silent_and_not_who_has_begun) {
    served_site server(site_, words("1", "2"));
    // A response tells that the server has the beginning of the next request, too: what one send
    // brought is received at once.
    http_client slow = server.connect();
    ASSERT_TRUE(slow.send("GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHo"));
    EXPECT_EQ(slow.response().status, 200);
    http_client silent = server.connect();
    http_client next = server.connect();
    ASSERT_TRUE(next.get("/"));
    EXPECT_EQ(next.response().status, 200);
    EXPECT_EQ(silent.rest(), "");
    EXPECT_EQ(silent.end(), stream_end::ended);
    ASSERT_TRUE(slow.send("st: test\r\n\r\n"));
    EXPECT_EQ(slow.response().status, 200);
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace upcall::testing
