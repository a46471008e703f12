// Several addresses at once, of every family; who may connect, and as whom it runs.
#include <pwd.h>
#include <sys/stat.h>

#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

/// Whether this host has ::1.
bool has_ipv6() {
    const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const server_place place = server_place::of("http://[::1]:0/");
    const bool has =
        socket >= 0 &&
        ::bind(socket, reinterpret_cast<const sockaddr*>(&place.address), place.size) == 0;
    if (socket >= 0) ::close(socket);
    return has;
}

class places_to_listen : public ::testing::TestWithParam<std::string> {
  protected:
    /// As --listen takes it.
    static std::string address_of(const served_site& server) {
        const std::string& url = server.url();
        const std::size_t begin = std::string_view("http://").size();
        return url.substr(begin, url.size() - 1 - begin);
    }
    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(places_to_listen);

TEST_P(places_to_listen, are_served_all_at_once) {
    const std::string path = site_.path() / "site.sock";
    std::vector<std::string> words = {"--driver", GetParam(),    "--loops",  "2",
                                      "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0",
                                      "--listen", "unix:" + path};
    if (has_ipv6())
        words.insert(words.end(), {"--listen", "[::1]:0"});
    else
        std::puts("this host has no IPv6: left out");
    served_site server(site_, words);
    for (std::size_t at = 0; at < words.size() / 2 - 2; ++at)
        for (int round = 0; round < 8; ++round) {
            http_client client = server.connect(at);
            ASSERT_TRUE(client.connected()) << server.url(at);
            ASSERT_TRUE(client.get("/"));
            EXPECT_EQ(client.response().body, "<h1>it works</h1>\n") << server.url(at);
        }
    EXPECT_EQ(server.stop(), 0);
}

TEST_P(places_to_listen, may_be_a_socket_file_that_was_left_over) {
    const std::string path = site_.path() / "site.sock";
    {
        served_site killed(site_, {"--driver", GetParam(), "--listen", "unix:" + path});
        killed.process().ask(SIGKILL);
        killed.process().wait();
        ASSERT_TRUE(std::filesystem::is_socket(path));
    }
    served_site server(site_, {"--driver", GetParam(), "--listen", "unix:" + path});
    EXPECT_EQ(server.get("/").status, 200);
}

TEST_P(places_to_listen, are_not_taken_from_a_server_that_lives) {
    const std::string path = site_.path() / "site.sock";
    served_site first(site_, {"--driver", GetParam(), "--listen", "unix:" + path});
    program second(
        "upcall",
        {"serve", site_.path().string(), "--driver", GetParam(), "--listen", "unix:" + path},
        {.read_errors = true});
    EXPECT_EQ(second.wait(), 1);
    EXPECT_EQ(second.errors().rest(),
              "upcall serve: cannot listen on unix:" + path + ": Address already in use\n");
    EXPECT_EQ(first.get("/").status, 200);
}

// Went wrong: with several loops a second server got some of the first one's connections.
TEST_P(places_to_listen, are_not_shared_with_another_server) {
    const std::vector<std::string> words{"--driver", GetParam(), "--loops", "2"};
    served_site first(site_, words);
    const std::string place = address_of(first);
    std::vector<std::string> same = words;
    same.insert(same.begin(), {"serve", site_.path().string(), "--listen", place});
    program second("upcall", same, {.read_errors = true});
    const std::string announced = second.line();
    EXPECT_EQ(announced, "");
    if (!announced.empty()) second.ask(SIGTERM);
    EXPECT_EQ(second.wait(), 1);
    EXPECT_EQ(second.errors().rest(),
              "upcall serve: cannot listen on " + place + ": Address already in use\n");
    EXPECT_EQ(first.get("/").status, 200);
}

TEST_P(places_to_listen, are_free_again_once_a_server_was_killed) {
    std::string place;
    {
        served_site killed(site_, {"--driver", GetParam(), "--loops", "2"});
        place = address_of(killed);
        EXPECT_EQ(killed.get("/").status, 200);
        killed.process().ask(SIGKILL);
        killed.process().wait();
    }
    served_site server(site_, {"--driver", GetParam(), "--loops", "2", "--listen", place});
    EXPECT_EQ(server.get("/").status, 200);
}

TEST_P(places_to_listen, leave_no_socket_file_after_a_stop) {
    const std::string path = site_.path() / "site.sock";
    for (const char* loops : {"1", "2"}) {
        served_site server(site_,
                           {"--driver", GetParam(), "--loops", loops, "--listen", "unix:" + path});
        EXPECT_EQ(server.get("/").status, 200);
        EXPECT_EQ(server.stop(), 0);
        EXPECT_FALSE(std::filesystem::exists(path)) << loops;
    }
}

TEST_P(places_to_listen, leave_alone_the_socket_file_of_a_successor) {
    const std::string path = site_.path() / "site.sock";
    served_site first(site_, {"--driver", GetParam(), "--loops", "2", "--listen", "unix:" + path});
    std::filesystem::rename(path, path + ".old");
    served_site second(site_, {"--driver", GetParam(), "--listen", "unix:" + path});
    EXPECT_EQ(first.stop(), 0);
    EXPECT_EQ(second.get("/").status, 200);
    EXPECT_EQ(second.stop(), 0);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_P(places_to_listen, are_not_files_of_others) {
    site_.put("precious", "keep me");
    program server("upcall",
                   {"serve", site_.path().string(), "--driver", GetParam(), "--listen",
                    "unix:" + (site_.path() / "precious").string()},
                   {.read_errors = true});
    EXPECT_EQ(server.wait(), 1);
    EXPECT_NE(server.errors().rest().find("cannot listen on"), std::string::npos);
    std::ifstream kept(site_.path() / "precious");
    std::string text;
    std::getline(kept, text);
    EXPECT_EQ(text, "keep me");
}

TEST_P(places_to_listen, take_so_many_connections_from_one_address) {
    served_site server(
        site_, {"--driver", GetParam(), "--loops", "1", "--max-connections-per-address", "3"});
    std::vector<http_client> few;
    for (int count = 0; count < 3; ++count) {
        few.push_back(server.connect());
        ASSERT_TRUE(few.back().get("/"));
        EXPECT_EQ(few.back().response().status, 200);
    }
    http_client fourth = server.connect();
    fourth.get("/");
    EXPECT_EQ(fourth.rest(), "");
    EXPECT_NE(fourth.end(), stream_end::timed_out) << "it is closed, not left waiting";
    few.pop_back();
    // Its place is free once the server has seen the end.
    http_response got;
    while (got.status == 0) got = server.get("/");
    EXPECT_EQ(got.status, 200);
}

TEST_P(places_to_listen, survive_the_loss_of_privileges) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give up";
    const passwd* nobody = ::getpwnam("nobody");
    if (!nobody) GTEST_SKIP() << "this host has no user nobody";
    const std::string id = std::to_string(nobody->pw_uid);
    const std::string all_four = "Uid:\t" + id + "\t" + id + "\t" + id + "\t" + id;
    site_.put("private", "of root");
    ::chmod((site_.path() / "private").c_str(), 0600);
    served_site server(site_, {"--driver", GetParam(), "--loops", "2", "--user", "nobody"});
    EXPECT_EQ(server.get("/").status, 200);
    EXPECT_EQ(server.get("/private").status, 403) << "rings must not remember root";
    // Every thread, all four of its identities, and none of root's groups.
    const std::filesystem::path tasks = "/proc/" + std::to_string(server.process().pid()) + "/task";
    for (const auto& each : std::filesystem::directory_iterator(tasks)) {
        std::ifstream status(each.path() / "status");
        for (std::string line; std::getline(status, line);) {
            const bool identities = line.starts_with("Uid:");
            EXPECT_TRUE(!identities || line == all_four) << line;
            const bool groups = line.starts_with("Groups:");
            EXPECT_TRUE(!groups || (line + " ").find("\t0 ") == line.npos) << line;
            EXPECT_NE(line, "NoNewPrivs:\t0");
        }
    }
    EXPECT_EQ(server.stop(), 0);
}

// Went wrong: a listening socket became standard error.
TEST(standard_descriptors, that_were_closed_are_not_opened_as_something_else) {
    const scratch_site site;
    served_site server(site, {"--loops", "1"}, {.before = [] {
                           return ::close(STDIN_FILENO) == 0 && ::close(STDERR_FILENO) == 0;
                       }});
    const std::string folder = "/proc/" + std::to_string(server.process().pid()) + "/fd/";
    for (const char* number : {"0", "2"})
        EXPECT_EQ(std::filesystem::read_symlink(folder + number), "/dev/null");
    EXPECT_EQ(server.stop(), 0);
}

TEST(users_that_do_not_exist, are_refused) {
    const scratch_site site;
    const std::string path = site.path() / "site.sock";
    program server("upcall",
                   {"serve", site.path().string(), "--listen", "unix:" + path, "--user", "nosuch"},
                   {.read_errors = true});
    EXPECT_EQ(server.wait(), 1);
    EXPECT_EQ(server.errors().rest(), "upcall serve: no such user: nosuch\n");
    EXPECT_FALSE(std::filesystem::exists(path)) << "a refused start leaves nothing behind";
}

}  // namespace
}  // namespace upcall::testing
