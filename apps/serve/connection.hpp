// One connection: requests in, responses out, until either side has had enough.
#pragma once

#include <upcall/upcall.hpp>

#include <chrono>
#include <span>
#include <string>

#include "serve/file_response.hpp"
#include "serve/loop_server.hpp"
#include "serve/request_parser.hpp"
#include "serve/target.hpp"

namespace upcall_serve {

class connection {
  public:
    // `client` is the peer's address, for the log.
    connection(loop_server& server, upcall::byte_stream peer, std::string client);

    // Serves until the connection is closed.
    upcall::task<> run();

  private:
    // What is sent: a head in a borrowed block, and perhaps bytes in memory that follow it.
    struct outgoing {
        block_pool::block block;
        std::size_t head_bytes = 0;  // 0: it did not fit
        std::span<const std::byte> body{};

        std::span<char> room() const { return block.room(); }
        void set_head(const text_writer& text) { head_bytes = text.fits() ? text.wanted() : 0; }
    };

    // Where the bytes of a response come from: memory, or a file that is opened when needed.
    struct content {
        std::shared_ptr<const resource> hold;
        const file_entity& entity;
        std::span<const std::byte> kept;
        std::string_view path;
        content_coding coding;
        upcall::file open{};

        bool in_memory() const { return kept.data() != nullptr; }
    };

    upcall::task<> serve();
    upcall::task<upcall::result<upcall::lease>> receive_first();
    upcall::task<bool> is_last();
    upcall::task<bool> respond(const request& asked);
    upcall::task<bool> respond_slowly(const request& asked, target_path path);
    upcall::task<bool> respond_with_index(const request& asked, target_path path);
    upcall::task<bool> respond_with_listing(const request& asked, target_path path);
    upcall::task<bool> send_error(int status, bool head_only, std::string_view lines = {});
    upcall::task<bool> send_failure(const request& asked, int status);
    upcall::task<bool> send_anew(const request& asked, std::string_view path);
    upcall::task<bool> refuse(const refusal& why);
    upcall::task<bool> send(outgoing& what);
    upcall::task<bool> send_bare_failure();
    upcall::task<bool> send_text(const outgoing& in, const text_writer& text);
    upcall::task<bool> send_pieces(outgoing& what);
    upcall::task<bool> send_file(const request& asked, std::string_view path,
                                 std::shared_ptr<const resource> found);
    upcall::task<bool> send_ranges(const request& asked, content& body,
                                   const file_response& response);
    upcall::task<bool> send_section(content& body, std::uint64_t first, std::uint64_t count);
    upcall::task<bool> send_bytes(upcall::byte_view bytes);
    upcall::task<> close_politely(upcall::duration patience);

    void take(upcall::lease chunk);
    void let_go(bool keep_request);

    connection_state state_of_connection();
    void begin_response();
    void note(const request* asked, std::string_view line);

    loop_server& server_;
    upcall::byte_stream peer_;
    std::string client_;
    request_parser parser_;
    idle_connection idle_;
    upcall::lease chunk_;           // received last; let go before a response
    std::unique_ptr<char[]> held_;  // or a copy of what of it is for later
    std::span<const char> rest_;    // of either: not parsed yet
    upcall::time_point head_deadline_{};
    std::uint32_t served_ = 0;
    unsigned minor_version_ = 1;
    bool keep_alive_ = true;
    bool waiting_for_first_ = true;
    bool last_ = false;  // the response ends the connection, whatever its request says
    upcall::duration linger_{};
    int status_ = 0;
    unsigned sent_anew_ = 0;
    // Of the response in hand, for the log.
    std::chrono::steady_clock::time_point began_{};
    std::uint64_t sent_ = 0;        // bytes, the head's included
    std::uint64_t head_bytes_ = 0;  // of which the head is so many
};

}  // namespace upcall_serve
