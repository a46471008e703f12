// Clients that are slow, deaf, rude or broken: each is dealt with, and the others are served.
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <random>

#include "programs/process_status.hpp"
#include "programs/served_site.hpp"
#include "support/counting_new.hpp"

namespace upcall::testing {
namespace {

constexpr std::size_t large_bytes = 8'000'000;

class difficult_clients : public ::testing::TestWithParam<std::string> {
  protected:
    difficult_clients() { site_.put("large", scratch_site::pattern(large_bytes)); }

    void expect_served(const served_site& server) {
        const http_response got = server.get("/");
        EXPECT_EQ(got.status, 200);
        EXPECT_TRUE(got.complete);
    }
    /// Until the server has as many descriptors as before: every connection is closed, every file.
    void expect_descriptors(const served_site& server, std::size_t before) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        const pid_t pid = const_cast<served_site&>(server).process().pid();
        std::size_t now = 0;
        while ((now = descriptors_of(pid)) > before && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_LE(now, before);
    }

    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(difficult_clients);

TEST_P(difficult_clients, may_send_one_byte_at_a_time) {
    served_site server(site_, {"--driver", GetParam()});
    http_client client = server.connect();
    const std::string_view request = "GET / HTTP/1.1\r\nHost: test\r\nAccept: */*\r\n\r\n";
    for (int round = 0; round < 3; ++round) {
        for (const char each : request) {
            ASSERT_TRUE(client.send({&each, 1}));
            // The next one is not sent together with it.
            for (int unsent = 1; unsent > 0;)
                ASSERT_EQ(::ioctl(client.socket(), SIOCOUTQ, &unsent), 0);
        }
        const http_response got = client.response();
        EXPECT_EQ(got.status, 200);
        EXPECT_TRUE(got.complete);
    }
}

TEST_P(difficult_clients, are_given_up_when_a_request_takes_forever) {
    served_site server(site_, {"--driver", GetParam(), "--header-timeout", "300ms"});
    http_client client = server.connect();
    std::string request = "GET / HTTP/1.1\r\nHost: test\r\n";
    ASSERT_TRUE(client.send(request));
    // A byte now and then: it never ends by itself, and each byte would renew a naive deadline.
    pollfd answered{client.socket(), POLLIN, 0};
    while (::poll(&answered, 1, 20) == 0) client.send("x");
    const http_response got = client.response();
    EXPECT_EQ(got.status, 408);
    EXPECT_TRUE(got.complete);
    expect_served(server);
}

// Went wrong: what was refused before it was read to its end had its page sent for HEAD, too.
TEST_P(difficult_clients, are_refused_without_a_body_when_they_asked_for_a_head) {
    served_site server(site_, {"--driver", GetParam(), "--header-timeout", "300ms"});
    for (const auto& [fields, status] : {std::pair{"", 400},
                                         {"Host: a\r\nContent-Length: 3\r\n\r\nabc", 413},
                                         {"Host: a\r\nExpect: a miracle\r\n", 417},
                                         {"Host: a\r\nno colon", 400}}) {
        http_client client = server.connect();
        ASSERT_TRUE(client.send("HEAD / HTTP/1.1\r\n" + std::string(fields) + "\r\n"));
        EXPECT_EQ(client.response(true).status, status);
        EXPECT_EQ(client.rest(), "") << status;
    }
    http_client slow = server.connect();
    ASSERT_TRUE(slow.send("HEAD / HTTP/1.1\r\nHost: a\r\n"));
    EXPECT_EQ(slow.response(true).status, 408);
    EXPECT_EQ(slow.rest(), "");
}

TEST_P(difficult_clients, are_given_up_when_they_never_read) {
    served_site server(site_, {"--driver", GetParam(), "--send-timeout", "300ms", "--loops", "1"});
    const pid_t pid = server.process().pid();
    expect_served(server);
    const std::size_t before = descriptors_of(pid);
    [[maybe_unused]] const std::size_t memory_before = resident_bytes_of(pid);
    std::vector<http_client> deaf;
    std::string requests;
    for (int more = 0; more < 100; ++more) requests += "GET /large HTTP/1.1\r\nHost: test\r\n\r\n";
    for (int count = 0; count < 50; ++count) {
        deaf.emplace_back(server.url(), 16'384);
        ASSERT_TRUE(deaf.back().send(requests));
    }
    expect_served(server);
    expect_descriptors(server, before);
    // One piece of a file each is what they may have cost; never what they asked for.
#ifndef UPCALL_TEST_SANITIZED  // which keeps books of its own about every byte
    EXPECT_LT(resident_bytes_of(pid), memory_before + 50 * 1'000'000);
#endif
    expect_served(server);
}

TEST_P(difficult_clients, may_reset_in_the_middle_of_a_response) {
    served_site server(site_, {"--driver", GetParam(), "--loops", "1"});
    const pid_t pid = server.process().pid();
    expect_served(server);
    const std::size_t before = descriptors_of(pid);
    for (int round = 0; round < 100; ++round) {
        http_client client(server.url(), 16'384);
        ASSERT_TRUE(client.get("/large"));
        if (round % 2 == 0) {
            ASSERT_TRUE(client.read_some());
        }
        client.reset();
    }
    expect_served(server);
    expect_descriptors(server, before);
    EXPECT_TRUE(server.process().runs());
    EXPECT_EQ(server.stop(), 0);
}

TEST_P(difficult_clients, may_end_their_side_before_they_read) {
    served_site server(site_, {"--driver", GetParam()});
    http_client client = server.connect();
    ASSERT_TRUE(client.get("/large"));
    client.end_sending();
    const http_response got = client.response();
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.body, scratch_site::pattern(large_bytes));
    EXPECT_EQ(client.rest(), "");
    EXPECT_EQ(client.end(), stream_end::ended);
}

/// Sends up to a number of bytes to connections, as many as it takes, and checks that whatever is
/// answered is an HTTP response, and no connection hangs.
class noise {
  public:
    noise(const served_site& server, unsigned seed) : server_(server), random_(seed) {}

    template <class Make>
    void send(std::size_t bytes, Make make) {
        while (sent_ < bytes && !::testing::Test::HasFailure()) {
            http_client client = server_.connect();
            ASSERT_TRUE(client.connected());
            for (int piece = 0; piece < 4; ++piece) {
                const std::string text = make(random_);
                if (!client.send(text)) break;
                sent_ += text.size();
            }
            client.end_sending();
            const std::string got = client.rest();
            EXPECT_NE(client.end(), stream_end::timed_out);
            EXPECT_TRUE(got.empty() || got.starts_with("HTTP/1.1 ")) << got.substr(0, 100);
        }
    }

  private:
    const served_site& server_;
    std::mt19937 random_;
    std::size_t sent_ = 0;
};

TEST_P(difficult_clients, may_send_a_million_random_bytes) {
    served_site server(site_, {"--driver", GetParam(), "--loops", "1"});
    expect_served(server);
    const std::size_t before = descriptors_of(server.process().pid());
    noise(server, 1).send(1'000'000, [](std::mt19937& random) {
        std::string text(1 + random() % 8'000, '\0');
        for (char& each : text) each = static_cast<char>(random());
        return text;
    });
    expect_served(server);
    expect_descriptors(server, before);
    EXPECT_EQ(server.stop(), 0);
}

TEST_P(difficult_clients, may_send_requests_with_a_few_wrong_bytes) {
    served_site server(site_, {"--driver", GetParam(), "--loops", "1"});
    const std::string right =
        "GET /index.html?x=%20 HTTP/1.1\r\nHost: test\r\nRange: bytes=0-3,5-\r\n"
        "If-None-Match: \"x\", W/\"y\"\r\nAccept-Encoding: gzip;q=0.5, br\r\n"
        "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n";
    noise(server, 2).send(400'000, [&](std::mt19937& random) {
        std::string text;
        for (int copies = 0; copies < 4; ++copies) {
            std::string one = right;
            for (auto wrong = random() % 3; wrong > 0; --wrong)
                one[random() % one.size()] = static_cast<char>(random());
            text += one;
        }
        return text;
    });
    expect_served(server);
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace upcall::testing
