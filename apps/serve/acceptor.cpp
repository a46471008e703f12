#include "serve/acceptor.hpp"

#include <cstdio>
#include <new>

#include "serve/connection.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

// While the server is full a place may come free on another loop, of which nobody tells.
constexpr upcall::duration look_for_room_every = std::chrono::milliseconds(20);

// After an error that accepting may get over: memory that is short, a network that is down.
constexpr upcall::duration pause_after_error = std::chrono::milliseconds(100);

// A listener's queue counts as empty after this long. Most drivers can tell within one turn of the
// loop; where a thread does the accepting, it has to get its turn.
constexpr upcall::duration queue_patience = std::chrono::milliseconds(100);

// Who is at the other end.
struct client {
    explicit client(const tcp::stream& peer) {
        const auto from = peer.peer_address();
        if (!from) return;
        if (from->family() == address_family::ipv4)
            key = client_key::of_ipv4(std::span(from->octets()).first<4>());
        else if (from->family() == address_family::ipv6)
            key = client_key::of_ipv6(from->octets());
        else
            return;
        has_key = true;
        address shown = *from;
        shown.set_port(0);
        text = shown.to_string();
        text.resize(text.rfind(':'));
        if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    }

    client_key key;
    bool has_key = false;
    std::string text = "-";
};

// A place among the connections, given back at the end.
class place {
  public:
    place(loop_server& server, const client& from)
        : server_(&server), key_(from.key), has_key_(from.has_key) {}
    place(place&& other) noexcept
        : server_(std::exchange(other.server_, nullptr)),
          key_(other.key_),
          has_key_(other.has_key_) {}
    place& operator=(place&&) = delete;
    ~place() {
        if (!server_) return;
        if (has_key_)
            server_->state.cap.leave(key_);
        else
            server_->state.cap.leave();
        server_->left.set();
    }

  private:
    loop_server* server_;
    client_key key_;
    bool has_key_;
};

task<> serve_connection(loop_server& server, tcp::stream peer, std::string from, place) {
    connection one(server, std::move(peer), std::move(from));
    co_await one.run();
}

admission enter(connection_cap& cap, const client& from) {
    return from.has_key ? cap.enter(from.key) : cap.enter();
}

// Counts a peer in hand for whom there is no room.
class counted_waiting {
  public:
    explicit counted_waiting(server_state& all) : all_(all) { ++all_.waiting; }
    counted_waiting(const counted_waiting&) = delete;
    ~counted_waiting() { --all_.waiting; }

  private:
    server_state& all_;
};

// Waits for a place while the server is full.
task<admission> wait_for_place(loop_server& server, const client& from) {
    server_state& all = server.state;
    admission granted = enter(all.cap, from);
    if (granted != admission::server_full) co_return granted;
    const counted_waiting waiting(all);
    // The kernel is looked at before silence counts: what has arrived by now is seen then.
    makes_room which = makes_room::between_requests;
    while (granted == admission::server_full) {
        if (!server.end_one_idle(which)) all.serving.end_one_idle_beside(server, which);
        which = makes_room::silent_too;
        const auto left = co_await timeout(look_for_room_every, server.left.wait());
        if (!left && left.error() == errc::cancelled) break;
        granted = enter(all.cap, from);
    }
    co_return granted;
}

// Throws std::bad_alloc, and then `peer` is closed and holds no place.
task<> take_in(loop_server& server, tcp::stream peer, scope& connections) {
    const client from(peer);
    const admission granted = co_await wait_for_place(server, from);
    if (granted != admission::granted) co_return;  // closing says enough
    place own(server, from);
    connections.spawn_now(
        serve_connection(server, std::move(peer), std::string(from.text), std::move(own)),
        "connection");
}

task<> take_in_queue(loop_server& server, tcp::listener& listener, scope& connections) {
    // More than this cannot have been in it when the stop came.
    for (unsigned left = server.state.settings.backlog + 1; left > 0; --left) {
        auto peer = co_await timeout(queue_patience, listener.accept_more());
        if (!peer) co_return;
        try {
            co_await take_in(server, std::move(*peer), connections);
        } catch (const std::bad_alloc&) {
            continue;  // the next may ask when there is memory again
        }
    }
}

void report(const std::error_code& why) {
    try {
        std::fprintf(stderr, "upcall serve: cannot accept: %s; trying on\n", why.message().c_str());
    } catch (const std::bad_alloc&) {
        std::fputs("upcall serve: cannot accept; trying on\n", stderr);
    }
}

}  // namespace

task<> accept_all(loop_server& server, tcp::listener listener, scope& connections) {
    server_state& all = server.state;
    bool reported = false;
    for (;;) {
        // What is accepted ahead is not counted yet, and there may be as much as in the queue.
        listener.accept_ahead(all.cap.room() > std::size_t{all.settings.backlog} * all.loops);
        auto peer = co_await listener.accept();
        std::error_code why;
        if (peer) {
            try {
                co_await take_in(server, std::move(*peer), connections);
                continue;
            } catch (const std::bad_alloc&) {
                why = std::make_error_code(std::errc::not_enough_memory);
            }
        } else {
            why = peer.error();
        }
        if (why == errc::cancelled) break;
        if (!std::exchange(reported, true)) report(why);
        const auto paused = co_await sleep(pause_after_error);
        if (!paused) co_return;
    }
    all.sockets.remove();
    co_await take_in_queue(server, listener, connections);
}

}  // namespace upcall_serve
