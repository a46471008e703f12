#include "sim/site_program.hpp"

#include <algorithm>
#include <vector>

#include "serve/opening.hpp"
#include "sim/planted.hpp"
#include "sim/probes.hpp"
#include "sim/wire.hpp"

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

// How often is looked whether it is time to stop: seldom by who stays for long.
constexpr duration look_at_first = 5ms;
constexpr duration look_at_last = 500ms;
// So many are stopped while things go wrong; the next one stays until they no longer do.
constexpr unsigned stopped_early_max = 3;
// Whatever was late when things stopped going wrong has come by then.
constexpr duration all_is_quiet = 5s;
// A response to the slowest of the readers takes less.
constexpr duration stop_patience = 30s;

upcall_serve::options small_site() {
    upcall_serve::options how;
    how.directory = "/site";
    how.cache_bytes = 16'384;
    how.cache_file_max = 8'192;
    how.requests_per_connection_max = 12;
    how.header_timeout = 1s;
    how.idle_timeout = 3s;
    how.send_timeout = 500ms;
    return how;
}

std::string path_of(std::size_t file) { return "/site/" + std::string(site_files[file].name); }

/// Puts a version of a file in the place of the one before. False: the kernel would not.
task<bool> publish(std::size_t file, unsigned version) {
    auto to = co_await upcall::file::open("/site/new", open_write | open_create | open_truncate);
    if (!to) co_return false;
    const transfer wrote = co_await to->write_all_at(bytes_of(content_of(file, version)), 0);
    if (!wrote) co_return false;
    const auto renamed = co_await upcall::rename("/site/new", path_of(file));
    co_return renamed.has_value();
}

task<bool> publish_all(const site_board& board) {
    static_cast<void>(co_await make_directory("/site"));
    for (std::size_t file = 0; file < site_files.size(); ++file) {
        const bool done = co_await publish(file, board.versions[file]);
        if (!done) co_return false;
    }
    co_return true;
}

task<> replace_files(site_board& board) {
    choices& chosen = board.world->chosen();
    for (;;) {
        const auto paused = co_await sleep(std::chrono::microseconds(chosen.below(40'000)));
        if (!paused) co_return;
        const auto file = static_cast<std::size_t>(chosen.below(site_files.size()));
        if (board.versions[file] + 1 == versions_max) co_return;
        const bool done = co_await publish(file, ++board.versions[file]);
        if (!done) co_return;
    }
}

/// A server with all that belongs to it, from its start to a stop.
class served {
  public:
    served(site_board& board, bool stays) : board_(board), calm_(board.calm), stays_(stays) {}

    task<> run() {
        auto root = co_await upcall::file::open("/site", open_read | open_directory);
        if (!root) co_return;
        upcall_serve::loop_share own;
        own.root = std::move(*root);
        own.listeners.push_back(tcp::listener::bind(address::ipv4({}, site_port)).value());
        if (calm_) ++board_.calm_servers;
        co_await with_scope([&](scope& all) -> task<> {
            auto server = all.async(upcall_serve::serve_on_loop(state_, std::move(own)), "server");
            co_await stay();
            if (state_.cap.connections() > 0) reached(probe::site_stopped_busy);
            const duration asked = board_.world->elapsed();
            board_.stops[board_.calm_servers] = asked;
            server.stop();
            co_await server.join();
            if (calm_ && board_.world->elapsed() - asked > stop_patience)
                board_.complain("a server took long to stop");
        });
    }

    /// A moment after it has ended: of buffers the driver has some in stock.
    void look_what_is_left() {
        loop& home = *loop::current();
        if (state_.cap.connections() != 0)
            board_.complain("a server that has ended counts connections");
        if (home.buffers().outstanding() != home.via().buffers_in_stock())
            board_.complain("a server that has ended has buffers");
    }

  private:
    /// Until it is time to stop.
    task<> stay() {
        choices& chosen = board_.world->chosen();
        if (calm_) {
            co_await sleep(std::chrono::microseconds(300 + chosen.below(20'000)));
            co_return;
        }
        const duration length = std::chrono::milliseconds(10 + chosen.below(200));
        duration look = look_at_first;
        for (duration stayed{}; stays_ || stayed < length; stayed += look) {
            const auto paused = co_await sleep(look);
            if (!paused || board_.calm) co_return;
            if (stays_) look = std::min(look * 2, look_at_last);
            look_at_limits();
        }
    }

    void look_at_limits() {
        if (state_.cap.room() == 0) reached(probe::site_was_full);
        if (state_.cap.connections() > connections_max)
            board_.complain("the site has more connections than it may");
    }

    static constexpr std::size_t connections_max = 5;
    static constexpr std::uint32_t per_address_max = 3;

    site_board& board_;
    const bool calm_;
    const bool stays_;
    const upcall_serve::options how_ = small_site();
    // On a calm day nobody is turned away, nor ended to make room.
    upcall_serve::server_state state_{
        how_,
        1,
        {},
        upcall_serve::connection_cap(calm_ ? 0 : connections_max, calm_ ? 0 : per_address_max, 1)};
};

/// False when the program is being ended.
task<bool> serve_once(site_board& board, bool stays) {
    served one(board, stays);
    co_await one.run();
    const auto paused = co_await sleep(1ms);
    if (!paused) co_return false;
    one.look_what_is_left();
    co_return true;
}

task<> serve_on_every_day(site_board& board) {
    bool goes_on = true;
    for (unsigned servers = 0; goes_on && !board.calm; ++servers)
        goes_on = co_await serve_once(board, servers >= stopped_early_max);
    if (!goes_on) co_return;
    const auto paused = co_await sleep(all_is_quiet);
    if (!paused) co_return;
    while (goes_on && board.calm_servers < calm_servers_max)
        goes_on = co_await serve_once(board, false);
}

}  // namespace

task<> serve_site(site_board& board) {
    const bool there = co_await publish_all(board);
    if (!there) co_return;
    co_await with_scope([&](scope& all) -> task<> {
        all.spawn_now(replace_files(board), "publisher");
        co_await serve_on_every_day(board);
        all.cancel();
    });
}

}  // namespace upcall_sim
