#include "sim/site_reader.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sim/probes.hpp"
#include "sim/site_wish.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t wishes_max = 4;
constexpr duration patience = 10s;
// A server that gives up a reader who takes nothing ends it in the midst of a response. Readers
// take what there is; but what is late on its way there or back looks the same.
constexpr duration given_up_after = 100ms;

/// One connection.
class visit {
  public:
    visit(site_board& board, tcp::stream with, unsigned server, bool slow, std::string& etag)
        : board_(board),
          chosen_(board.world->chosen()),
          server_(server),
          strict_(server_ > 0),
          slow_(slow),
          with_(std::move(with)),
          answers_(with_, patience, slow),
          etag_(etag) {}

    task<> run() {
        for (auto rounds = 1 + chosen_.below(4); rounds > 0; --rounds) {
            wishes_.clear();
            sent_at_.clear();
            for (auto count = 1 + chosen_.below(wishes_max); count > 0; --count)
                wishes_.push_back(drawn_wish(chosen_, etag_));
            if (slow_) wishes_.front() = {.file = site_files.size() - 1};
            const auto [said, heard] = co_await when_all(say(), hear());
            if (!said || !heard) co_return;
            if (strict_ && board_.stops[server_]) co_return;
            if (chosen_.below(3) == 2)
                co_await sleep(std::chrono::microseconds(chosen_.below(3000)));
        }
    }

  private:
    /// Requests, at once or one after the other, without waiting for answers.
    task<bool> say() {
        for (const wish& one : wishes_) {
            const std::string text = one.text();
            const auto sent = co_await timeout(patience, with_.write_all(bytes_of(text)));
            if (!sent) co_return false;
            sent_at_.push_back(board_.world->elapsed());
            if (chosen_.below(4) == 3)
                co_await sleep(std::chrono::microseconds(chosen_.below(500)));
        }
        co_return true;
    }

    task<bool> hear() {
        for (std::size_t at = 0; at < wishes_.size(); ++at) {
            answer_head head;
            std::string body;
            const auto began = board_.world->elapsed();
            const bool whole = co_await hear_one(wishes_[at], head, body);
            if (!whole) {
                judge_end(at);
                co_return false;
            }
            ++answered_;
            if (is_excuse(head) && !strict_) co_return false;
            if (const char* wrong = fault_of(wishes_[at], head, body, board_)) {
                board_.complain(wrong);
                co_return false;
            }
            if (board_.world->elapsed() - began > 500ms) reached(probe::slow_reader_served);
            if (!head.etag.empty()) etag_ = head.etag;
            if (head.closes) {
                judge_last(at);
                co_return false;
            }
        }
        co_return true;
    }

    task<bool> hear_one(const wish& asked, answer_head& head, std::string& body) {
        const bool there = co_await answers_.head(head);
        if (!there) co_return false;
        const bool empty = !asked.wants_body() || head.status == 304;
        const bool whole = co_await answers_.body(empty ? 0 : head.length, body);
        co_return whole;
    }

    /// Whether a request was there when the server was asked to stop, or never was.
    bool is_owed(std::size_t at) const {
        if (at >= sent_at_.size()) return false;
        const auto& stop = board_.stops[server_];
        return !stop || sent_at_[at] + arrival_max <= *stop;
    }

    /// The connection ended before that answer had come.
    void judge_end(std::size_t at) {
        const std::error_code end = answers_.end();
        if (!end) return board_.complain("a response is none");
        const bool late = end == errc::deadline_exceeded;
        reached(late ? probe::answer_timed_out : probe::connection_broken);
        const bool is_cut = end == errc::end_of_stream && answers_.begun();
        if (is_cut && (strict_ || (!slow_ && answers_.longest_wait() < given_up_after)))
            board_.complain("a response was cut short, and nobody was told");
        if (strict_ && is_owed(at))
            board_.complain(late ? "a request was never answered"
                                 : "a response in flight was lost");
    }

    /// The server said that this answer is the connection's last.
    void judge_last(std::size_t at) {
        if (!strict_ || answered_ == requests_max || at + 1 == wishes_.size()) return;
        if (is_owed(at + 1)) board_.complain("a server that stops leaves requests without answers");
    }

    static constexpr unsigned requests_max = 12;

    site_board& board_;
    choices& chosen_;
    const unsigned server_;
    const bool strict_;
    const bool slow_;
    tcp::stream with_;
    answer_reader answers_;
    std::string& etag_;
    std::vector<wish> wishes_;
    std::vector<duration> sent_at_;
    unsigned answered_ = 0;
};

task<> visit_once(site_board& board, address where, std::string& etag) {
    const unsigned server = board.calm_servers;
    auto with = co_await timeout(patience, tcp::connect(where));
    if (!with) {
        if (server > 0 && !board.stops[server])
            board.complain("a server that serves was not to be had");
        if (server == 0 && with.error() != errc::cancelled) co_await sleep(20ms);
        co_return;
    }
    const bool slow = board.world->chosen().below(8) == 7;
    visit one(board, std::move(*with), server, slow, etag);
    co_await one.run();
}

/// Some of them two at a time.
task<> visit_often(site_board& board, address where, unsigned visits, std::string& etag) {
    while (visits > 0 && board.wrong.empty()) {
        if (visits > 1 && board.world->chosen().below(4) == 3) {
            co_await when_all(visit_once(board, where, etag), visit_once(board, where, etag));
            --visits;
        } else {
            co_await visit_once(board, where, etag);
        }
        --visits;
    }
}

}  // namespace

task<> read_site(site_board& board, std::string_view host, unsigned visits,
                 const std::function<void()>& on_end_of_visits) {
    const address where = board.world->address_of(host, site_port);
    std::string etag;
    co_await visit_often(board, where, visits, etag);
    on_end_of_visits();
    duration look = 1ms;
    for (unsigned server = 1; server <= calm_servers_max && board.wrong.empty(); ++server) {
        while (board.calm_servers < server) {
            const auto paused = co_await sleep(look);
            if (!paused) co_return;
            look = std::min<duration>(look * 2, 500ms);
        }
        look = 200us;
        while (!board.stops[server] && board.wrong.empty()) co_await visit_once(board, where, etag);
    }
}

}  // namespace upcall_sim
