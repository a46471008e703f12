// The limits on requests say nothing about responses. Went wrong: a response's head was written
// into a block as small as the request's limit, and what lay behind it in memory was sent along.
#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

class small_limits : public ::testing::TestWithParam<std::string> {
  protected:
    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(small_limits);

/// The head without what differs from one moment to the next.
std::string lasting(std::string head) {
    const auto date = head.find("\r\nDate: ");
    if (date != head.npos) head.erase(date, head.find("\r\n", date + 2) - date);
    return head;
}

TEST_P(small_limits, leave_responses_as_they_are) {
    site_.put("large", scratch_site::pattern(100'000));
    std::filesystem::create_directory(site_.path() / "directory");
    const served_site usual(site_, {"--driver", GetParam(), "--loops", "1"});
    const served_site small(site_,
                            {"--driver", GetParam(), "--loops", "1", "--max-header-bytes", "256"});
    const std::pair<const char*, const char*> requests[] = {
        {"/", ""},
        {"/", "Range: bytes=0-3\r\n"},
        {"/large", ""},
        {"/large", "Range: bytes=0-3,9-20\r\n"},
        {"/large", "Range: bytes=100000-\r\n"},
        {"/missing", ""},
        {"/directory", ""},
    };
    for (const auto& [target, fields] : requests) {
        const http_response expected = usual.get(target, fields);
        http_client client = small.connect();
        ASSERT_TRUE(client.get(target, std::string(fields) + "Connection: close\r\n"));
        const std::string got = client.rest();
        ASSERT_NE(expected.status, 0);
        const std::string status = expected.head.substr(0, expected.head.find("\r\n"));
        EXPECT_TRUE(got.starts_with(status + "\r\n")) << got.substr(0, 600);
        const auto head_end = got.find("\r\n\r\n");
        ASSERT_NE(head_end, got.npos) << target;
        std::string head = lasting(got.substr(0, head_end + 4));
        const auto close = head.find("Connection: close\r\n");
        ASSERT_NE(close, head.npos) << target;
        head.erase(close, 19);
        EXPECT_EQ(got.size() - head_end - 4, expected.body.size()) << target << ' ' << fields;
        if (head.find("boundary=") == head.npos) {
            EXPECT_EQ(head, lasting(expected.head));
            EXPECT_EQ(got.substr(head_end + 4), expected.body);
        }
    }
}

}  // namespace
}  // namespace upcall::testing
