// 64 descriptors and 1,000 clients: nobody is refused for good, the server sleeps while it can do
// nothing, and afterwards it is as before.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include <chrono>
#include <thread>

#include "programs/process_status.hpp"
#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

constexpr std::size_t clients_count = 1'000;
constexpr std::size_t file_bytes = 100'000;

class few_descriptors : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        site_.put("file", scratch_site::pattern(file_bytes));
        if (GetParam() == "blocking")
            GTEST_SKIP() << "blocking: each of its threads needs a descriptor of its own";
        // This process has a side of every connection.
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < clients_count + 100)
            GTEST_SKIP() << "a thousand clients need as many descriptors here";
    }

    std::vector<std::string> words() const {
        // Files are opened for every response: they need descriptors, too.
        return {"--driver",         GetParam(), "--cache-bytes",  "0",  "--loops", "2",
                "--header-timeout", "1s",       "--idle-timeout", "60s"};
    }
    static program_options limited() {
        return {.before = [] {
            const rlimit few{64, 64};
            return ::setrlimit(RLIMIT_NOFILE, &few) == 0;
        }};
    }

    scratch_site site_;
};
UPCALL_FOR_EVERY_SERVED_DRIVER(few_descriptors);

/// One that asks again on a new connection if it was turned away, until it has its response.
struct stubborn_client {
    http_client link;
    std::string got;
    bool done = false;
};

bool is_answered(const std::string& got) {
    const auto head = got.find("\r\n\r\n");
    return head != got.npos && got.size() == head + 4 + file_bytes;
}

/// Lets all ask at once, keeps them connected, and returns how often one was turned away. Those
/// that have their response stay idle on their connections, as browsers do.
std::size_t serve_all(const served_site& server, std::vector<stubborn_client>& clients) {
    const std::string body = scratch_site::pattern(file_bytes);
    std::size_t turned_away = 0;
    auto ask = [&](stubborn_client& one) {
        one.got.clear();
        EXPECT_TRUE(one.link.connected());
        EXPECT_TRUE(one.link.get("/file"));
        ::fcntl(one.link.socket(), F_SETFL, O_NONBLOCK);
    };
    for (std::size_t count = 0; count < clients_count; ++count) {
        clients.push_back({.link = server.connect(), .got = {}});
        ask(clients.back());
    }
    for (;;) {
        std::vector<pollfd> interests;
        std::vector<stubborn_client*> behind;
        for (stubborn_client& one : clients)
            if (!one.done) {
                interests.push_back({one.link.socket(), POLLIN, 0});
                behind.push_back(&one);
            }
        if (interests.empty()) return turned_away;
        if (::poll(interests.data(), interests.size(), 60'000) <= 0) {
            ADD_FAILURE() << interests.size() << " clients wait forever";
            return turned_away;
        }
        for (std::size_t at = 0; at < interests.size(); ++at) {
            if (!interests[at].revents) continue;
            stubborn_client& one = *behind[at];
            char some[65'536];
            const ssize_t got = ::recv(one.link.socket(), some, sizeof some, 0);
            if (got > 0) one.got.append(some, static_cast<std::size_t>(got));
            if (is_answered(one.got)) {
                EXPECT_TRUE(one.got.starts_with("HTTP/1.1 200 OK\r\n"));
                EXPECT_TRUE(one.got.ends_with(body));
                one.done = true;
            } else if (got <= 0 && errno != EAGAIN) {
                EXPECT_EQ(one.got, "") << "a response was cut short";
                ++turned_away;
                one.link = server.connect();
                ask(one);
            }
        }
    }
}

TEST_P(few_descriptors, serve_a_thousand_clients) {
    served_site server(site_, words(), limited());
    const pid_t pid = server.process().pid();
    ASSERT_EQ(server.get("/file").status, 200);
    const std::size_t before = descriptors_of(pid);
    for (int round = 0; round < 2; ++round) {
        std::vector<stubborn_client> clients;
        const std::size_t turned_away = serve_all(server, clients);
        // An idle connection is ended for those who wait, and its peer may just be asking again;
        // who is in the queue is never turned away.
        EXPECT_EQ(turned_away, 0U);
        EXPECT_LE(descriptors_of(pid), 64U);
        EXPECT_TRUE(server.process().runs());
    }
    EXPECT_EQ(server.get("/file").status, 200);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (descriptors_of(pid) > before && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_LE(descriptors_of(pid), before);
    EXPECT_EQ(server.stop(), 0);
}

// Clients hold all that there is and say nothing. A server that tried to accept over and over
// would use all the processor time it can get.
TEST_P(few_descriptors, cost_no_processor_time_while_nothing_can_be_done) {
    auto patient = words();
    patient.insert(patient.end(), {"--header-timeout", "60s"});
    served_site server(site_, patient, limited());
    const pid_t pid = server.process().pid();
    std::vector<http_client> silent;
    for (std::size_t count = 0; count < clients_count; ++count) {
        silent.push_back(server.connect());
        ASSERT_TRUE(silent.back().connected());
    }
    while (descriptors_of(pid) < 24) std::this_thread::yield();
    const double before = processor_seconds_of(pid);
    const auto begun = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const double used = processor_seconds_of(pid) - before;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    EXPECT_LT(used, 0.2 * passed.count()) << "it spins";
    EXPECT_TRUE(server.process().runs());
    silent.clear();
    EXPECT_EQ(server.get("/file").status, 200);
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace upcall::testing
