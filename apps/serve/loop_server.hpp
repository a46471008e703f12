// What the connections of one loop share.
#pragma once

#include <upcall/upcall.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serve/access_writer.hpp"
#include "serve/block_pool.hpp"
#include "serve/connection_cap.hpp"
#include "serve/http_date.hpp"
#include "serve/loop_registry.hpp"
#include "serve/options.hpp"
#include "serve/page.hpp"
#include "serve/piece_pool.hpp"
#include "serve/site.hpp"
#include "serve/socket_files.hpp"

namespace upcall_serve {

// Shared by all loops.
struct server_state {
    const options& settings;
    unsigned loops;
    error_pages pages;
    connection_cap cap;
    // Peers in hand for whom there is no room.
    std::atomic<unsigned> waiting = 0;
    loop_registry serving{};
    socket_files sockets{};
    std::atomic<bool> log_reopen_failed = false;
};

// A connection that waits for a request, and that nobody would miss much.
struct idle_connection : upcall::list_hook<idle_connection> {
    upcall::byte_stream* peer = nullptr;
    upcall::time_point since{};
};

// Which connections make room where there is none for a newcomer.
enum class makes_room : std::uint8_t {
    between_requests,
    // And those that have been here for a while without a byte.
    silent_too,
};

struct loop_server {
    loop_server(server_state& all, const upcall::file& root, std::string lines)
        : state(all),
          files(all.settings, root),
          blocks(std::max(all.settings.parsing.head_bytes, response_head_bytes)),
          log(all.settings, all.log_reopen_failed),
          server_lines(std::move(lines)) {
        state.serving.add(*this);
    }
    loop_server(const loop_server&) = delete;
    loop_server& operator=(const loop_server&) = delete;
    ~loop_server() { state.serving.remove(*this); }

    // No response head is longer, but for a redirect, which repeats the request's target.
    static constexpr std::size_t response_head_bytes = 1024;

    // Who connects has something to say. Who has not said it by then makes room for others.
    static constexpr upcall::duration silence_granted = std::chrono::seconds(1);

    // Whether others wait for a place, so that none is to be kept longer than for a response.
    bool crowded() const { return state.waiting.load(std::memory_order_relaxed) > 0; }

    // Ends the connection that has been idle longest. False if none is.
    bool end_one_idle(makes_room which) {
        idle_connection* longest = idle.pop_front();
        if (!longest && which == makes_room::silent_too && !silent.empty()) {
            const upcall::time_point now = silent.front().peer->home().now();
            if (now - silent.front().since >= silence_granted) longest = silent.pop_front();
        }
        if (longest) static_cast<void>(longest->peer->shut_down_reading());
        return longest != nullptr;
    }

    // The wall clock in seconds, looked at once in each turn of the loop, which `turn` tells apart.
    std::int64_t unix_now(upcall::time_point turn);

    server_state& state;
    site files;
    block_pool blocks;
    access_writer log;
    date_cache dates;
    std::string server_lines;
    piece_pool pieces;
    // Those between two requests, and those before their first byte; who has waited longest first.
    upcall::list<idle_connection, idle_connection> idle;
    upcall::list<idle_connection, idle_connection> silent;
    upcall::auto_event left;  // a connection has ended

  private:
    upcall::time_point unix_now_read_{};
    std::int64_t unix_now_ = 0;
};

}  // namespace upcall_serve
