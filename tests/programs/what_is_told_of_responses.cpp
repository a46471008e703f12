// Error pages of one's own, and the access log in both formats, complete to the last response.
#include <sys/resource.h>
#include <nlohmann/json.hpp>

#include <sstream>

#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

class told_of_responses : public ::testing::TestWithParam<std::string> {
  protected:
    std::vector<std::string> lines_of(const std::filesystem::path& file) {
        std::ifstream from(file);
        std::vector<std::string> lines;
        for (std::string line; std::getline(from, line);) lines.push_back(line);
        return lines;
    }
    scratch_site site_;
    scratch_site elsewhere_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(told_of_responses);

TEST_P(told_of_responses, error_pages_are_ones_own) {
    elsewhere_.put("gone.html", "<p>nothing of that name</p>");
    elsewhere_.put("bad.html", "<p>that was no request</p>");
    served_site server(
        site_, {"--driver", GetParam(), "--error-page", (elsewhere_.path() / "gone.html").string(),
                "--error-page", "400=" + (elsewhere_.path() / "bad.html").string()});
    const http_response missing = server.get("/missing");
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.body, "<p>nothing of that name</p>");
    http_client rude = server.connect();
    ASSERT_TRUE(rude.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
    const http_response refused = rude.response();
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.body, "<p>that was no request</p>");
    EXPECT_EQ(rude.rest(), "");
    EXPECT_EQ(rude.end(), stream_end::ended);
}

TEST_P(told_of_responses, json_lines_are_json_and_complete) {
    const std::filesystem::path log = elsewhere_.path() / "access.json";
    served_site server(site_, {"--driver", GetParam(), "--loops", "1", "--access-log", log.string(),
                               "--access-log-format", "json"});
    for (int count = 0; count < 200; ++count)
        ASSERT_EQ(server.get("/?" + std::to_string(count)).status, 200);
    ASSERT_EQ(server.get("/\"quoted\"").status, 404);
    ASSERT_EQ(server.get("/missing", "User-Agent: a \"b\" \\c\r\n").status, 404);
    ASSERT_EQ(server.stop(), 0);
    const auto lines = lines_of(log);
    ASSERT_EQ(lines.size(), 202U) << "the last ones are written before the end";
    for (std::size_t at = 0; at < lines.size(); ++at) {
        const auto line = nlohmann::json::parse(lines[at], nullptr, false);
        ASSERT_TRUE(line.is_object()) << lines[at];
        EXPECT_EQ(line.value("status", 0), at < 200 ? 200 : 404) << lines[at];
    }
    EXPECT_NE(lines.back().find(R"(a \"b\" \\c)"), std::string::npos) << lines.back();
}

// Went wrong: of a body from the disk no byte was counted, and nothing took any time.
TEST_P(told_of_responses, lines_tell_what_went_out_and_how_long_it_took) {
    const std::filesystem::path log = elsewhere_.path() / "access.json";
    constexpr std::size_t large_bytes = 8'000'000;
    site_.put("large", scratch_site::pattern(large_bytes));
    served_site server(site_, {"--driver", GetParam(), "--loops", "1", "--access-log", log.string(),
                               "--access-log-format", "json"});
    ASSERT_TRUE(server.get("/large").complete);
    ASSERT_TRUE(server.get("/large", "Range: bytes=10-19\r\n").complete);
    const http_response parts = server.get("/large", "Range: bytes=0-9,100-109\r\n");
    ASSERT_TRUE(parts.complete);
    {
        http_client impatient(server.url(), 16'384);
        ASSERT_TRUE(impatient.get("/large"));
        while (impatient.unread().size() < 1'000'000) ASSERT_TRUE(impatient.read_some());
        impatient.reset();
    }
    ASSERT_EQ(server.stop(), 0);
    const auto lines = lines_of(log);
    ASSERT_EQ(lines.size(), 4U);
    std::vector<std::size_t> bytes;
    for (const std::string& each : lines) {
        const auto line = nlohmann::json::parse(each);
        bytes.push_back(line.value("bytes", std::size_t{0}));
        EXPECT_GT(line.value("duration_us", 0), 0) << each;
    }
    EXPECT_EQ(bytes[0], large_bytes);
    EXPECT_EQ(bytes[1], 10U);
    EXPECT_EQ(bytes[2], parts.body.size());
    EXPECT_GT(bytes[3], 500'000U);
    EXPECT_LT(bytes[3], large_bytes) << "cut short";
}

TEST_P(told_of_responses, common_lines_are_complete) {
    const std::filesystem::path log = elsewhere_.path() / "access.log";
    served_site server(site_,
                       {"--driver", GetParam(), "--loops", "1", "--access-log", log.string()});
    for (int count = 0; count < 50; ++count) ASSERT_EQ(server.get("/").status, 200);
    ASSERT_EQ(server.stop(), 0);
    const auto lines = lines_of(log);
    ASSERT_EQ(lines.size(), 50U);
    for (const std::string& line : lines) {
        EXPECT_TRUE(line.starts_with("127.0.0.1 - - [")) << line;
        EXPECT_NE(line.find("] \"GET / HTTP/1.1\" 200 18"), line.npos) << line;
    }
}

// Went wrong: a request that took too long had an answer and no line.
TEST_P(told_of_responses, lines_tell_of_requests_that_took_too_long) {
    const std::filesystem::path log = elsewhere_.path() / "access.log";
    served_site server(site_, {"--driver", GetParam(), "--loops", "1", "--access-log", log.string(),
                               "--header-timeout", "100ms"});
    http_client client = server.connect();
    ASSERT_TRUE(client.send("GET /slow HTTP/1.1\r\nHost: a\r\n"));
    EXPECT_EQ(client.response().status, 408);
    client.close();
    ASSERT_EQ(server.stop(), 0);
    const auto lines = lines_of(log);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("] \"GET /slow HTTP/1.1\" 408 "), std::string::npos) << lines[0];
}

TEST_P(told_of_responses, a_log_without_room_has_whole_lines_once_there_is_room) {
    const std::filesystem::path log = elsewhere_.path() / "access.log";
    served_site server(site_,
                       {"--driver", GetParam(), "--loops", "1", "--access-log", log.string()},
                       {.before = [] {
                           // What reaches the limit is cut in the middle of a line.
                           rlimit files{};
                           ::getrlimit(RLIMIT_FSIZE, &files);
                           files.rlim_cur = 100;
                           return ::setrlimit(RLIMIT_FSIZE, &files) == 0;
                       }});
    std::size_t asked = 0;
    std::error_code none_yet;
    while (server.process().runs() && std::filesystem::file_size(log, none_yet) < 100) {
        ASSERT_EQ(server.get("/").status, 200);
        ++asked;
    }
    // Some of these find no room at all.
    for (int count = 0; count < 20; ++count, ++asked) ASSERT_EQ(server.get("/").status, 200);
    rlimit files{};
    ASSERT_EQ(::prlimit(server.process().pid(), RLIMIT_FSIZE, nullptr, &files), 0);
    files.rlim_cur = files.rlim_max;
    ASSERT_EQ(::prlimit(server.process().pid(), RLIMIT_FSIZE, &files, nullptr), 0);
    for (int count = 0; count < 20; ++count, ++asked) ASSERT_EQ(server.get("/").status, 200);
    ASSERT_EQ(server.stop(), 0);
    std::size_t told = 0;
    for (const std::string& line : lines_of(log)) {
        if (line.starts_with("# ")) {
            told += std::stoul(line.substr(2));
            continue;
        }
        ++told;
        EXPECT_TRUE(line.starts_with("127.0.0.1 - - [")) << line;
        EXPECT_NE(line.find("] \"GET / HTTP/1.1\" 200 18"), line.npos) << line;
    }
    EXPECT_EQ(told, asked) << "each is there, or counted as dropped";
}

TEST_P(told_of_responses, a_log_that_was_moved_away_is_begun_anew) {
    const std::filesystem::path log = elsewhere_.path() / "access.log";
    const std::filesystem::path old = elsewhere_.path() / "access.log.1";
    served_site server(site_,
                       {"--driver", GetParam(), "--loops", "2", "--access-log", log.string()});
    for (int count = 0; count < 50; ++count) ASSERT_EQ(server.get("/").status, 200);
    std::filesystem::rename(log, old);
    server.process().ask(SIGHUP);
    // Each loop reopens by itself: what comes now is in one file or the other, and nothing is lost.
    for (int count = 0; count < 50; ++count) ASSERT_EQ(server.get("/").status, 200);
    while (server.process().runs() && !std::filesystem::exists(log)) ::usleep(1000);
    ASSERT_EQ(server.stop(), 0);
    EXPECT_GE(lines_of(old).size(), 1U);
    EXPECT_EQ(lines_of(old).size() + lines_of(log).size(), 100U);
}

TEST_P(told_of_responses, a_log_that_cannot_be_begun_anew_is_kept) {
    std::filesystem::create_directory(elsewhere_.path() / "logs");
    const std::filesystem::path log = elsewhere_.path() / "logs" / "access.log";
    const std::filesystem::path moved = elsewhere_.path() / "moved";
    served_site server(site_,
                       {"--driver", GetParam(), "--loops", "2", "--access-log", log.string()},
                       {.read_errors = true});
    std::filesystem::rename(log.parent_path(), moved);
    server.process().ask(SIGHUP);
    EXPECT_EQ(server.process().errors().line(), "upcall serve: cannot reopen the access log '" +
                                                    log.string() +
                                                    "': No such file or directory; the old file "
                                                    "is kept");
    for (int count = 0; count < 20; ++count) ASSERT_EQ(server.get("/").status, 200);
    EXPECT_EQ(server.stop(), 0);
    EXPECT_EQ(lines_of(moved / "access.log").size(), 20U);
    EXPECT_EQ(server.process().errors().rest(), "") << "said once, not once per loop";
}

TEST_P(told_of_responses, without_a_log_a_hangup_is_nothing) {
    served_site server(site_, {"--driver", GetParam(), "--loops", "2"});
    server.process().ask(SIGHUP);
    EXPECT_EQ(server.get("/").status, 200);
    EXPECT_EQ(server.stop(), 0);
}

TEST_P(told_of_responses, who_answers_can_be_kept_back) {
    served_site open(site_, {"--driver", GetParam()});
    const std::string server(open.get("/").field("Server"));
    EXPECT_TRUE(server.starts_with("upcall/")) << server;
    EXPECT_TRUE(server.ends_with(" (" + std::string(GetParam()) + ")")) << server;
    served_site secret(site_, {"--driver", GetParam(), "--no-identity"});
    for (const char* target : {"/", "/missing"}) {
        const http_response got = secret.get(target);
        EXPECT_NE(got.status, 0);
        EXPECT_EQ(got.field("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(got.head.find("Server:"), got.head.npos) << got.head;
        EXPECT_EQ(got.head.find("Upcall"), got.head.npos) << got.head;
    }
}

}  // namespace
}  // namespace upcall::testing
