#include "lab/load.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <memory>

#include "lab/clocks.hpp"
#include "lab/findings.hpp"
#include "lab/run.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr unsigned descriptors_besides = 64;
constexpr double longest_seconds = 20;

class loader {
  public:
    explicit loader(const load_plan& plan) : plan_(plan) {
        for (unsigned at = 0; at < plan.servers; ++at)
            servers_.push_back(std::make_unique<echo_server>(
                plan.server, plan.over, plan.works, (plan.connections + at) / plan.servers));
        // From the last one on, which has one more where they cannot be shared out evenly.
        for (unsigned at = 0; at < plan.connections; ++at)
            add_connection(at, *servers_[plan.servers - 1 - at % plan.servers]);
        for (const auto& each : servers_) each->await_ready();
        settle_on_core(loading_core);
    }

    load_outcome run() {
        const double start = now_ns();
        measured_from_ = start + plan_.warm_up_seconds * 1e9;
        end_ = measured_from_ + plan_.seconds * 1e9;
        due_ = start;
        server_usage before;
        bool is_measuring = false;
        if (is_closed())
            for (unsigned at = 0; at < plan_.connections; ++at) send(at, start);
        const double latest = start + longest_seconds * 1e9;
        for (double now = start; now < end_ || (!has_seen_all() && now < latest); now = now_ns()) {
            if (!is_measuring && now >= measured_from_ && (has_seen_all() || now >= latest)) {
                is_measuring = true;
                before = usage();
                counted_ = 0;
                measured_from_ = now_ns();
                end_ = measured_from_ + plan_.seconds * 1e9;
            }
            if (!is_closed()) send_due(now);
            take_answers(now);
        }
        const double took = now_ns() - measured_from_;
        const server_usage after = usage();
        return outcome(before, after, took);
    }

  private:
    /// Whether each connection was used about once since counting began: its first message costs
    /// more, and with many connections a short time holds nothing else. At a fixed load one message
    /// is enough.
    bool has_seen_all() const { return counted_ >= (is_closed() ? plan_.connections : 1); }

    bool is_closed() const { return plan_.messages_per_second <= 0; }

    server_usage usage() {
        server_usage sum;
        for (const auto& each : servers_) {
            const server_usage one = each->usage();
            sum.cpu_ns += one.cpu_ns;
            sum.switches += one.switches;
            sum.memory_bytes += one.memory_bytes - each->before().memory_bytes;
        }
        return sum;
    }

    void add_connection(unsigned at, echo_server& to) {
        owned_fd made = to.connect();
        epoll_event interest{.events = EPOLLIN, .data = {.u32 = at}};
        if (::fcntl(made.get(), F_SETFL, O_NONBLOCK) != 0 ||
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, made.get(), &interest) != 0)
            throw lab_error(failed("watch connection " + std::to_string(at + 1), errno));
        sockets_.push_back(std::move(made));
        since_.push_back(0);
        free_.push_back(at);
    }

    void send(unsigned to, double since) {
        const std::array<char, message_bytes> message{};
        since_[to] = since;
        const auto sent = ::send(sockets_[to].get(), message.data(), message.size(), MSG_NOSIGNAL);
        if (sent == static_cast<ssize_t>(message.size())) return;
        usage();  // says why, if the server has ended
        throw lab_error(failed("send a message", sent < 0 ? errno : EMSGSIZE));
    }

    /// What is due is sent, late or not, on whichever connection has been free the longest. With
    /// none free it waits, and its time runs on.
    void send_due(double now) {
        while (due_ <= now && !free_.empty()) {
            const unsigned to = free_.front();
            free_.pop_front();
            send(to, due_);
            due_ += 1e9 / plan_.messages_per_second;
        }
    }

    void take_answers(double now) {
        std::array<epoll_event, 256> events{};
        // Between messages that are due a sleep would add its own delay to the latency.
        const bool may_sleep = is_closed() || note_cores() < 2;
        const int wait_ms = may_sleep ? (is_closed() ? 100 : 1) : 0;
        const int count =
            ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
        for (int at = 0; at < count; ++at)
            take_answer(events.at(static_cast<std::size_t>(at)).data.u32, now);
    }

    void take_answer(unsigned from, double now) {
        std::array<char, message_bytes> message{};
        const auto got = ::read(sockets_[from].get(), message.data(), message.size());
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got != static_cast<ssize_t>(message.size())) {
            usage();
            throw lab_error("an answer was cut short");
        }
        ++counted_;
        if (is_closed()) {
            send(from, now);
            return;
        }
        if (since_[from] >= measured_from_) latencies_.push_back(now_ns() - since_[from]);
        free_.push_back(from);
    }

    /// Those that never came back have waited until now.
    void count_unanswered() {
        const double now = now_ns();
        std::vector<bool> is_free(since_.size());
        for (const unsigned each : free_) is_free[each] = true;
        for (std::size_t at = 0; at < since_.size(); ++at)
            if (!is_free[at] && since_[at] >= measured_from_)
                latencies_.push_back(now - since_[at]);
        for (double due = due_; due < end_; due += 1e9 / plan_.messages_per_second)
            if (due >= measured_from_) latencies_.push_back(now - due);
    }

    load_outcome outcome(const server_usage& before, const server_usage& after, double took) {
        if (counted_ == 0)
            throw lab_error("no message came back within " + in_time(took) + " from " +
                            std::to_string(plan_.connections) + " connections");
        if (!is_closed()) count_unanswered();
        const auto messages = static_cast<double>(counted_);
        load_outcome seen;
        seen.messages_per_second = messages / took * 1e9;
        seen.cpu_ns = (after.cpu_ns - before.cpu_ns) / messages;
        seen.switches = (after.switches - before.switches) / messages;
        seen.memory = after.memory_bytes / plan_.connections;
        seen.median_ns = quantile(latencies_, 0.5);
        seen.slowest_ns = quantile(latencies_, 0.99);
        return seen;
    }

    const load_plan& plan_;
    std::vector<std::unique_ptr<echo_server>> servers_;
    owned_fd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<owned_fd> sockets_;
    std::vector<double> since_;
    std::deque<unsigned> free_;
    std::vector<double> latencies_;
    double measured_from_ = 0;
    double end_ = 0;
    double due_ = 0;
    std::uint64_t counted_ = 0;
};

}  // namespace

load_outcome load_server(const load_plan& plan) {
    loader made(plan);
    return made.run();
}

unsigned connections_allowed(unsigned wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
    const auto most =
        std::max<rlim_t>(limit.rlim_cur, descriptors_besides + 1) - descriptors_besides;
    return static_cast<unsigned>(std::min<rlim_t>(wanted, most));
}

}  // namespace upcall_lab
