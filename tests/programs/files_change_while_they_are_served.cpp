// Files that are replaced, get siblings or are looked at through links while the server knows them.
#include <pwd.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

class changing_files : public ::testing::TestWithParam<std::string> {
  protected:
    /// As a deployment does it: the name is at all times one of the two.
    void replace(const std::string& name, const std::string& content) const {
        site_.put("new", content);
        std::filesystem::rename(site_.path() / "new", site_.path() / name);
    }
    served_site serve(std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--driver", GetParam(), "--loops", "1"});
        return served_site(site_, std::move(more));
    }
    scratch_site site_;
    scratch_site elsewhere_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(changing_files);

constexpr std::size_t large_bytes = 3'000'000;

// Went wrong: the new bytes went out under the old tag, cut to the old length.
TEST_P(changing_files, are_sent_under_their_own_tag_and_length) {
    site_.put("large", std::string(large_bytes, 'a'));
    const served_site server = serve();
    const http_response old = server.get("/large");
    replace("large", std::string(large_bytes + 1'000, 'b'));
    const http_response got = server.get("/large");
    EXPECT_EQ(got.body, std::string(large_bytes + 1'000, 'b'));
    EXPECT_NE(got.field("ETag"), old.field("ETag"));
}

TEST_P(changing_files, are_not_continued_with_another) {
    site_.put("large", std::string(large_bytes, 'a'));
    const served_site server = serve();
    const http_response begun = server.get("/large", "Range: bytes=0-999999\r\n");
    ASSERT_EQ(begun.status, 206);
    replace("large", std::string(large_bytes, 'b'));
    const http_response rest =
        server.get("/large", "Range: bytes=1000000-\r\nIf-Range: " + begun.field("ETag") + "\r\n");
    EXPECT_EQ(rest.status, 200);
    EXPECT_TRUE(rest.body == std::string(large_bytes, 'b'));
}

// Went wrong: only siblings that had been there were looked at again.
TEST_P(changing_files, may_get_a_compressed_sibling) {
    site_.put("text.txt", "plain");
    const served_site server = serve();
    const std::string fields = "Accept-Encoding: gzip\r\n";
    EXPECT_EQ(server.get("/text.txt", fields).body, "plain");
    site_.put("text.txt.gz", "not really compressed");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    http_response got;
    do {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        got = server.get("/text.txt", fields);
    } while (got.body == "plain" && std::chrono::steady_clock::now() < until);
    EXPECT_EQ(got.body, "not really compressed");
    EXPECT_EQ(got.field("Content-Encoding"), "gzip");
    std::filesystem::remove(site_.path() / "text.txt.gz");
    while (server.get("/text.txt", fields).body != "plain" &&
           std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(server.get("/text.txt", fields).body, "plain");
}

// Went wrong: the option was read and nothing was made of it.
TEST_P(changing_files, are_not_found_through_links_that_are_not_wanted) {
    site_.put("file", "content");
    std::filesystem::create_directory(site_.path() / "directory");
    site_.put("directory/index.html", "index");
    std::filesystem::create_symlink("file", site_.path() / "link");
    std::filesystem::create_symlink("directory", site_.path() / "linked");
    {
        const served_site server = serve();
        EXPECT_EQ(server.get("/link").body, "content");
        EXPECT_EQ(server.get("/linked/").body, "index");
    }
    const served_site server = serve({"--no-symlinks"});
    EXPECT_EQ(server.get("/file").body, "content");
    EXPECT_EQ(server.get("/directory/").body, "index");
    EXPECT_EQ(server.get("/link").status, 404);
    EXPECT_EQ(server.get("/linked/").status, 404);
    EXPECT_EQ(server.get("/linked").status, 404);
}

// Went wrong: a link that led out of the root was listed with the size and date of its target.
TEST_P(changing_files, outside_of_the_root_are_not_listed) {
    elsewhere_.put("secret", scratch_site::pattern(5'000));
    std::filesystem::create_directory(site_.path() / "list");
    site_.put("list/inside", "x");
    std::filesystem::create_symlink(elsewhere_.path() / "secret", site_.path() / "list/outside");
    std::filesystem::create_symlink("inside", site_.path() / "list/link");
    const served_site server = serve({"--list-directories"});
    const http_response got = server.get("/list/");
    EXPECT_EQ(got.status, 200);
    EXPECT_NE(got.body.find("./inside"), std::string::npos);
    EXPECT_NE(got.body.find("./link"), std::string::npos);
    EXPECT_EQ(got.body.find("outside"), std::string::npos) << got.body;
}

// Went wrong: no condition was looked at where a directory is listed.
TEST_P(changing_files, that_are_listed_have_no_tag_to_match) {
    std::filesystem::create_directory(site_.path() / "list");
    const served_site server = serve({"--list-directories"});
    EXPECT_EQ(server.get("/list/", "If-Match: \"x\"\r\n").status, 412);
    EXPECT_EQ(server.get("/list/", "If-Match: *\r\n").status, 200);
    EXPECT_EQ(server.get("/list/", "If-None-Match: \"x\"\r\n").status, 200);
    const http_response kept = server.get("/list/", "If-None-Match: *\r\n");
    EXPECT_EQ(kept.status, 304);
    EXPECT_EQ(kept.body, "");
}

// Went wrong: the links of the first four were answered with 400.
TEST_P(changing_files, that_cannot_be_asked_for_are_not_listed) {
    std::filesystem::create_directory(site_.path() / "list");
    for (const char* name : {"list/back\\slash", "list/bad\xff", "list/new\nline", "list/del\x7f",
                             "list/.hidden", "list/q?", "list/50%"})
        site_.put(name, "x");
    const served_site server = serve({"--list-directories"});
    const std::string page = server.get("/list/").body;
    for (const char* link : {"back", "bad", "new", "del", "hidden"})
        EXPECT_EQ(page.find(link), page.npos) << page;
    for (const char* link : {"./q%3F", "./50%25"})
        EXPECT_NE(page.find("\"" + std::string(link) + "\""), page.npos) << page;
}

// Went wrong: an index that could not be read was passed over, and the directory listed; one that
// could not be read was 404 with a slash at its end, and 403 without.
TEST_P(changing_files, that_may_not_be_read_are_403) {
    if (::geteuid() == 0 && !::getpwnam("nobody")) GTEST_SKIP() << "root may read everything";
    for (const char* name : {"index", "closed"})
        std::filesystem::create_directory(site_.path() / name);
    site_.put("index/index.html", "x");
    site_.put("index/beside", "x");
    ::chmod((site_.path() / "index/index.html").c_str(), 0);
    ::chmod((site_.path() / "closed").c_str(), 0);
    std::vector<std::string> words{"--list-directories"};
    if (::geteuid() == 0) words.insert(words.end(), {"--user", "nobody"});
    const served_site server = serve(words);
    for (const char* target : {"/index/index.html", "/index/", "/closed/", "/closed", "/closed/x"})
        EXPECT_EQ(server.get(target).status, 403) << target;
    EXPECT_EQ(server.get("/index").status, 301);
    ::chmod((site_.path() / "closed").c_str(), 0711);
    EXPECT_EQ(server.get("/closed/").status, 403) << "it may be searched, but not listed";
    EXPECT_EQ(server.get("/closed/x").status, 404);
}

// Went wrong: 500.
TEST_P(changing_files, that_are_sockets_are_not_there) {
    const std::string path = site_.path() / "site.sock";
    const served_site server = serve({"--listen", "unix:" + path});
    EXPECT_EQ(server.get("/site.sock").status, 404);
}

// Went wrong: --help promised it, and nothing looked for it.
TEST_P(changing_files, of_the_root_may_be_the_page_for_404) {
    const std::string fields = "Accept-Encoding: gzip\r\n";
    for (const char* cache : {"64M", "0"}) {
        site_.put("404.html", "<p>not here</p>");
        const served_site server = serve({"--cache-bytes", cache});
        for (const char* target : {"/missing", "/missing/", "/.hidden"}) {
            const http_response got = server.get(target, fields);
            EXPECT_EQ(got.status, 404) << target;
            EXPECT_EQ(got.body, "<p>not here</p>") << target;
            EXPECT_TRUE(got.field("Content-Type").starts_with("text/html"));
            EXPECT_EQ(got.field("ETag"), "");
        }
        http_client client = server.connect();
        ASSERT_TRUE(client.send("HEAD /missing HTTP/1.1\r\nHost: test\r\n\r\n"));
        const http_response head = client.response(true);
        EXPECT_EQ(head.status, 404);
        EXPECT_EQ(head.field("Content-Length"), "15");
        ASSERT_TRUE(client.get("/"));
        EXPECT_EQ(client.response().status, 200) << "no body came in between";
        EXPECT_EQ(server.get("/404.html").status, 200);
    }
    elsewhere_.put("chosen.html", "chosen");
    const served_site server =
        serve({"--error-page", (elsewhere_.path() / "chosen.html").string()});
    EXPECT_EQ(server.get("/missing").body, "chosen");
}

}  // namespace
}  // namespace upcall::testing
