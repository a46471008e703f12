// What `upcall serve` promises when it is told to stop (SIGTERM, SIGINT):
//   - no response is cut short;
//   - a request that had arrived whole on an accepted connection gets its response, and so do those
//     that were sent behind it without waiting;
//   - connections that wait for a request are ended in good order, not reset.
// A request that is sent later may find the connection ended, with no byte of a response: that is
// the race every persistent connection has (RFC 9112, section 9.3.1), and safe to repeat.
#include <fcntl.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <thread>

#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

constexpr std::size_t small_bytes = 700;
constexpr std::size_t middle_bytes = 300'000;   // kept in memory
constexpr std::size_t large_bytes = 8'000'000;  // read from the disk while it is sent

class graceful_stop : public ::testing::TestWithParam<std::string> {
  protected:
    graceful_stop() {
        site_.put("small", scratch_site::pattern(small_bytes));
        site_.put("middle", scratch_site::pattern(middle_bytes));
        site_.put("large", scratch_site::pattern(large_bytes));
    }
    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(graceful_stop);

/// What the connections of one client thread saw.
struct tally {
    std::size_t complete = 0;
    std::size_t cut_short = 0;
    std::size_t wrong = 0;
    std::size_t unanswered_before_stop = 0;
    std::size_t unanswered_after_stop = 0;
    std::size_t resets_before_stop = 0;
};

/// Many connections that ask as fast as they are answered, on one thread, each with up to `depth`
/// requests on their way.
class crowd {
  public:
    crowd(const server_place& place, const std::string& target, std::string body,
          std::size_t connections, std::size_t depth, const std::atomic<bool>& stopped)
        : request_("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n"),
          body_(std::move(body)),
          depth_(depth),
          stopped_(stopped) {
        for (std::size_t at = 0; at < connections; ++at) {
            members_.emplace_back(place);
            EXPECT_TRUE(members_.back().client.connected());
            EXPECT_TRUE(members_.back().client.get("/small"));
            EXPECT_EQ(members_.back().client.response().status, 200);
            ::fcntl(members_.back().client.socket(), F_SETFL, O_NONBLOCK);
        }
    }

    /// Until the server has ended every connection.
    tally run() {
        while (turn()) {
        }
        return seen_;
    }

    std::atomic<std::size_t> answered = 0;

  private:
    struct member {
        explicit member(const server_place& place) : client(place) {}
        http_client client;
        std::size_t unsent = 0;      // bytes of the last request
        std::size_t sent = 0;        // whole requests without their response
        std::size_t sent_early = 0;  // of them, those that were sent before the stop
        std::string got;
        bool open = true;
    };

    bool turn() {
        std::vector<pollfd> interests;
        std::vector<member*> behind;
        for (member& one : members_) {
            if (!one.open) continue;
            const bool asks = one.unsent > 0 || one.sent < depth_;
            interests.push_back(
                {one.client.socket(), static_cast<short>(asks ? POLLIN | POLLOUT : POLLIN), 0});
            behind.push_back(&one);
        }
        if (interests.empty()) return false;
        if (::poll(interests.data(), interests.size(), 30'000) <= 0) {
            ADD_FAILURE() << interests.size() << " connections hang";
            return false;
        }
        for (std::size_t at = 0; at < interests.size(); ++at) {
            if (interests[at].revents & POLLOUT) ask(*behind[at]);
            if (interests[at].revents & ~POLLOUT) listen(*behind[at]);
        }
        return true;
    }

    void ask(member& one) {
        // Read before the request goes out: one that is sent around the stop counts as late.
        const bool early = !stopped_;
        if (one.unsent == 0) one.unsent = request_.size();
        const char* from = request_.data() + (request_.size() - one.unsent);
        const ssize_t sent = ::send(one.client.socket(), from, one.unsent, MSG_NOSIGNAL);
        if (sent < 0) return;  // what has come tells more
        one.unsent -= static_cast<std::size_t>(sent);
        if (one.unsent > 0) return;
        ++one.sent;
        // The kernel orders this after the send, so a stop that is seen now may have come first.
        if (early && !stopped_) ++one.sent_early;
    }

    void listen(member& one) {
        char some[65'536];
        const ssize_t got = ::recv(one.client.socket(), some, sizeof some, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return ended(one, got < 0);
        one.got.append(some, static_cast<std::size_t>(got));
        while (take_response(one)) {
        }
    }

    bool take_response(member& one) {
        const auto head = one.got.find("\r\n\r\n");
        if (head == one.got.npos || one.got.size() < head + 4 + body_.size()) return false;
        const bool right = one.got.starts_with("HTTP/1.1 200 OK\r\n") &&
                           one.got.compare(head + 4, body_.size(), body_) == 0;
        ++(right ? seen_.complete : seen_.wrong);
        one.got.erase(0, head + 4 + body_.size());
        --one.sent;
        if (one.sent_early > 0) --one.sent_early;
        ++answered;
        return true;
    }

    void ended(member& one, bool reset) {
        one.open = false;
        if (!one.got.empty()) ++seen_.cut_short;
        seen_.unanswered_before_stop += one.sent_early;
        seen_.unanswered_after_stop += one.sent - one.sent_early;
        if (reset && !stopped_) ++seen_.resets_before_stop;
        one.client.close();
    }

    std::string request_;
    std::string body_;
    std::size_t depth_;
    const std::atomic<bool>& stopped_;
    std::vector<member> members_;
    tally seen_;
};

TEST_P(graceful_stop, loses_nothing_under_load) {
    served_site server(site_, {"--driver", GetParam(), "--loops", "2", "--keep-alive-requests",
                               "1000000", "--max-connections-per-address", "0"});
    const server_place place = server_place::of(server.url());
    std::atomic<bool> stopped = false;
    const std::size_t many = GetParam() == "blocking" ? 8 : 40;
    std::array<std::unique_ptr<crowd>, 4> crowds = {
        std::make_unique<crowd>(place, "/small", scratch_site::pattern(small_bytes), many, 1,
                                stopped),
        std::make_unique<crowd>(place, "/small", scratch_site::pattern(small_bytes), many / 4, 8,
                                stopped),
        std::make_unique<crowd>(place, "/middle", scratch_site::pattern(middle_bytes), many / 4, 2,
                                stopped),
        std::make_unique<crowd>(place, "/large", scratch_site::pattern(large_bytes), many / 8, 2,
                                stopped)};
    std::array<tally, 4> seen;
    std::array<std::thread, 4> threads;
    for (std::size_t at = 0; at < crowds.size(); ++at)
        threads[at] = std::thread([&, at] { seen[at] = crowds[at]->run(); });
    // In the thick of it: each crowd has been answered, and goes on.
    for (const auto& each : crowds)
        while (each->answered < 4) std::this_thread::yield();
    stopped = true;
    server.process().ask(SIGTERM);
    for (std::thread& each : threads) each.join();
    for (std::size_t at = 0; at < seen.size(); ++at) {
        const tally& each = seen[at];
        EXPECT_GT(each.complete, 0U) << "crowd " << at;
        EXPECT_EQ(each.wrong, 0U) << "crowd " << at;
        EXPECT_EQ(each.cut_short, 0U) << "crowd " << at;
        EXPECT_EQ(each.unanswered_before_stop, 0U) << "crowd " << at;
        EXPECT_EQ(each.resets_before_stop, 0U) << "crowd " << at;
    }
    EXPECT_EQ(server.process().wait(), 0);
}

TEST_P(graceful_stop, answers_what_was_sent_without_waiting) {
    served_site server(site_, {"--driver", GetParam()});
    http_client client(server.url(), 100'000);
    ASSERT_TRUE(client.get("/small"));
    ASSERT_TRUE(client.response().complete);
    // The response to the first is more than fits into the sockets, so the server is in the middle
    // of it when it is told to stop, and the others wait behind it.
    std::string requests = "GET /large HTTP/1.1\r\nHost: test\r\n\r\n";
    for (int more = 0; more < 40; ++more)
        requests +=
            "GET /small HTTP/1.1\r\nHost: test\r\nX-Fill: " + std::string(300, 'x') + "\r\n\r\n";
    ASSERT_TRUE(client.send(requests));
    ASSERT_TRUE(client.read_some());
    server.process().ask(SIGTERM);
    const http_response large = client.response();
    EXPECT_TRUE(large.complete);
    EXPECT_EQ(large.body, scratch_site::pattern(large_bytes));
    for (int more = 0; more < 40; ++more) {
        const http_response small = client.response();
        EXPECT_TRUE(small.complete) << "the " << more << "th behind it";
        EXPECT_EQ(small.body, scratch_site::pattern(small_bytes));
        EXPECT_EQ(small.field("Connection"), more == 39 ? "close" : "") << more;
    }
    EXPECT_EQ(client.rest(), "");
    EXPECT_EQ(client.end(), stream_end::ended);
    client.close();
    EXPECT_EQ(server.process().wait(), 0);
}

TEST_P(graceful_stop, ends_idle_connections_in_good_order) {
    served_site server(site_, {"--driver", GetParam()});
    std::vector<http_client> silent;
    std::vector<http_client> idle;
    for (int count = 0; count < 4; ++count) {
        silent.push_back(server.connect());
        idle.push_back(server.connect());
        ASSERT_TRUE(idle.back().get("/small"));
        ASSERT_TRUE(idle.back().response().complete);
    }
    server.process().ask(SIGTERM);
    for (auto* each : {&silent, &idle})
        for (http_client& client : *each) {
            EXPECT_EQ(client.rest(), "");
            EXPECT_EQ(client.end(), stream_end::ended);
            client.close();
        }
    EXPECT_EQ(server.process().wait(), 0);
}

TEST_P(graceful_stop, waits_for_the_rest_of_a_request) {
    served_site server(site_, {"--driver", GetParam()});
    http_client client = server.connect();
    ASSERT_TRUE(client.get("/small"));
    ASSERT_TRUE(client.response().complete);
    // The second request begins in the same breath as the first ends, so that it is being read.
    ASSERT_TRUE(client.send("GET /small HTTP/1.1\r\nHost: test\r\n\r\nGET /small HT"));
    ASSERT_TRUE(client.response().complete);
    http_client other = server.connect();
    server.process().ask(SIGTERM);
    EXPECT_EQ(other.rest(), "") << "the stop has begun once the others are ended";
    ASSERT_TRUE(client.send("TP/1.1\r\nHost: test\r\n\r\n"));
    const http_response got = client.response();
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.field("Connection"), "close");
    EXPECT_EQ(client.rest(), "");
    client.close();
    EXPECT_EQ(server.process().wait(), 0);
}

TEST_P(graceful_stop, serves_who_is_in_the_queue) {
    // Connections come in a burst and ask at once; many wait in the kernel when the stop comes.
    served_site server(site_, {"--driver", GetParam()});
    std::vector<http_client> clients;
    server.process().ask(SIGSTOP);
    for (int count = 0; count < 100; ++count) {
        clients.push_back(server.connect());
        ASSERT_TRUE(clients.back().connected());
        ASSERT_TRUE(clients.back().get("/small"));
    }
    server.process().ask(SIGTERM);
    server.process().ask(SIGCONT);
    for (http_client& client : clients) {
        EXPECT_TRUE(client.response().complete);
        EXPECT_EQ(client.rest(), "");
        EXPECT_EQ(client.end(), stream_end::ended);
        client.close();
    }
    EXPECT_EQ(server.process().wait(), 0);
}

TEST_P(graceful_stop, gives_up_after_the_grace) {
    served_site server(site_, {"--driver", GetParam(), "--grace", "200ms"});
    http_client client(server.url(), 100'000);
    ASSERT_TRUE(client.get("/large"));
    ASSERT_TRUE(client.read_some());
    // It reads no more, and the server ends all the same. What the kernel had taken by then it goes
    // on offering to the client, for minutes at times: that is not waited for.
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace upcall::testing
