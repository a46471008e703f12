// The guest in the examples of embedding: an upcall loop with work on it, which another event loop
// turns. Its work is a server and its clients, who say something, wait, and say more.
#pragma once

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <upcall/upcall.hpp>

class guest {
  public:
    static constexpr int clients = 50;
    static constexpr int rounds = 4;

    /// Throws std::system_error where the driver is no descriptor (poll, select and sigio are
    /// none).
    guest() : home_(make_home()), descriptor_(ask_for_descriptor()), tasks_(home_->root()) {
        tasks_.spawn_now(serve_and_visit(), "guest");
    }

    // ---- all that the host needs of it ------------------------------------------------------

    /// Watched by the host, for reading.
    int descriptor() const { return descriptor_; }
    /// The longest that the host may wait; -1: for as long as it likes.
    int milliseconds() { return home_->wait_milliseconds(); }
    /// Called by the host when the descriptor is readable or that time is over.
    void turn() { home_->turn(upcall::loop::wait::none); }

    // -----------------------------------------------------------------------------------------

    bool busy() const { return tasks_.size() > 0; }
    int echoes() const { return echoes_; }

  private:
    static std::unique_ptr<upcall::loop> make_home() {
        auto made = upcall::make_loop({}, {.embedded = true});
        if (!made) throw std::system_error(made.error(), "no loop");
        return std::move(*made);
    }

    int ask_for_descriptor() {
        const auto made = home_->native_handle();
        if (!made) throw std::system_error(made.error(), "this driver");
        return static_cast<int>(*made);
    }

    static upcall::task<> echo(upcall::tcp::stream peer) {
        while (auto chunk = co_await peer.receive()) {
            const auto sent = co_await peer.write_all(*chunk);
            if (!sent) break;
        }
    }

    upcall::task<> visit(upcall::address where) {
        auto server = (co_await upcall::tcp::connect(where)).value();
        for (int round = 0; round < rounds; ++round) {
            const std::string said = "round " + std::to_string(round);
            const auto sent = co_await server.write_all(upcall::bytes_of(std::string_view(said)));
            std::string heard(said.size(), '\0');
            const auto got = co_await server.read_exactly(std::as_writable_bytes(std::span(heard)));
            if (!sent || !got) co_return;
            if (heard == said) ++echoes_;
            const auto slept = co_await upcall::sleep(std::chrono::milliseconds(2));
            if (!slept) co_return;
        }
    }

    upcall::task<> serve_and_visit() {
        auto listener = upcall::tcp::listener::bind("127.0.0.1:0").value();
        const upcall::address where = listener.local_address().value();
        co_await upcall::with_scope([&](upcall::scope& all) -> upcall::task<> {
            for (int client = 0; client < clients; ++client) all.spawn_now(visit(where), "client");
            for (int client = 0; client < clients; ++client) {
                auto peer = (co_await listener.accept()).value();
                all.spawn_now(echo(std::move(peer)), "echo");
            }
        });
    }

    std::unique_ptr<upcall::loop> home_;
    int descriptor_;
    upcall::scope tasks_;
    int echoes_ = 0;
};

/// What the hosts print at their end, having counted their own ticks.
inline int tell(const guest& inner, int ticks) {
    std::printf("%d echoes in the guest, %d ticks of the host\n", inner.echoes(), ticks);
    return inner.echoes() == guest::clients * guest::rounds ? 0 : 1;
}

constexpr int ticks_min = 5;  // which the host waits for in any case
