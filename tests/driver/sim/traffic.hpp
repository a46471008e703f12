// A little world on one simulated kernel, for tests that look at it from outside: clients that
// write and read what a server echoes, a file that is written and read, and cancellations.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <upcall/driver/sim_kernel.hpp>

#include "support/driver_bench.hpp"

namespace upcall::test {

class traffic {
  public:
    explicit traffic(sim_kernel& kernel, int clients = 5, std::size_t bytes = 3000)
        : bench_([&](const driver_environment& lent) { return make_sim_driver(kernel, lent); }) {
        for (int at = 0; at < clients; ++at) {
            conversation& one = all_.emplace_back();
            auto ends = bench_.connected();
            one.client = std::move(ends.first);
            one.server = std::move(ends.second);
            one.to_send = std::string(bytes, static_cast<char>('a' + at));
        }
    }

    void run() {
        file_ = bench_.open("/log", open_read | open_write | open_create);
        for (conversation& one : all_) step(one);
        bench_.until([&] {
            bool all_done = true;
            for (conversation& one : all_) all_done = step(one) && all_done;
            return all_done;
        });
        for (conversation& one : all_) {
            EXPECT_EQ(one.got, one.to_send);
            bench_.close(one.client);
            bench_.close(one.server);
        }
        bench_.close(file_);
    }

    int cancelled = 0;
    int too_late = 0;

  private:
    struct conversation {
        handle client;
        handle server;
        std::string to_send;
        std::string echoing;   // arrived at the server
        std::string outgoing;  // in the server's write
        std::string got;
        std::size_t sent = 0;
        std::vector<std::byte> client_room = std::vector<std::byte>(257);
        bench_operation writing;
        bench_operation reading;
        bench_operation receiving;
        bench_operation echo;
        bench_operation logging;
        int logged = 0;
        bool started = false;
        bool server_ended = false;
        bool server_shut = false;
        bool client_ended = false;
    };

    static bool take_done(bench_operation& op) {
        if (!op.done()) return false;
        op.completions = 0;
        return true;
    }

    bool step(conversation& one) {
        if (!one.started) {
            one.started = true;
            bench_.receive(one.receiving, one.server, op_multishot);
            bench_.read(one.reading, one.client, one.client_room);
            write(one);
            log(one);
        }
        step_client(one);
        step_server(one);
        if (take_done(one.logging) && one.logged < 10) log(one);
        const bool quiet =
            one.reading.state == op_state::idle && one.receiving.state == op_state::idle &&
            one.echo.state == op_state::idle && one.logging.state == op_state::idle &&
            one.writing.state == op_state::idle;
        return one.client_ended && quiet;
    }

    void step_client(conversation& one) {
        if (take_done(one.writing)) {
            EXPECT_GT(one.writing.result, 0);
            one.sent += static_cast<std::size_t>(one.writing.result);
            if (one.sent < one.to_send.size()) {
                write(one);
            } else {
                EXPECT_TRUE(bench_.via().shut_down(*one.client.record(), shut::writing));
            }
        }
        if (!take_done(one.reading)) return;
        if (one.reading.result == -ECANCELED) {
            ++cancelled;
        } else {
            EXPECT_GE(one.reading.result, 0);
            one.client_ended = one.reading.result == 0;
            if (one.client_ended) return;
            if (one.reading.cause != cancel_cause::none) ++too_late;
            one.got += text_of(
                byte_view(one.client_room).first(static_cast<std::size_t>(one.reading.result)));
        }
        bench_.read(one.reading, one.client, one.client_room);
        if (one.got.size() % 3 == 0) one.reading.request_cancel(cancel_cause::cancelled);
    }

    void step_server(conversation& one) {
        for (const auto& value : one.receiving.values)
            one.echoing += bench_.take(value.number, value.leased);
        one.receiving.values.clear();
        if (take_done(one.receiving)) {
            EXPECT_GE(one.receiving.result, 0);
            if (one.receiving.result > 0) {
                one.echoing += bench_.take(one.receiving.result, one.receiving.leased);
                bench_.receive(one.receiving, one.server, op_multishot);
            } else {
                one.server_ended = true;
            }
        }
        if (take_done(one.echo)) {
            EXPECT_GT(one.echo.result, 0);
            one.outgoing.erase(0, static_cast<std::size_t>(one.echo.result));
        }
        if (one.echo.state != op_state::idle) return;
        if (one.outgoing.empty()) one.outgoing = std::exchange(one.echoing, {});
        if (!one.outgoing.empty()) {
            bench_.write(one.echo, one.server, bytes_of(one.outgoing));
        } else if (one.server_ended && !std::exchange(one.server_shut, true)) {
            EXPECT_TRUE(bench_.via().shut_down(*one.server.record(), shut::writing));
        }
    }

    void write(conversation& one) {
        const std::size_t piece = std::min<std::size_t>(one.to_send.size() - one.sent, 700);
        bench_.write(one.writing, one.client, bytes_of(one.to_send).subspan(one.sent, piece));
    }

    void log(conversation& one) {
        bench_.file_write(one.logging, file_, static_cast<std::uint64_t>(one.logged) * 100,
                          bytes_of(one.to_send).first(50));
        ++one.logged;
    }

    driver_bench bench_;
    std::deque<conversation> all_;
    handle file_;
};

}  // namespace upcall::test
