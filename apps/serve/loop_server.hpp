// What the connections of one loop share.
#pragma once

#include <upcall/upcall.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "serve/access_writer.hpp"
#include "serve/block_pool.hpp"
#include "serve/connection_cap.hpp"
#include "serve/http_date.hpp"
#include "serve/options.hpp"
#include "serve/page.hpp"
#include "serve/site.hpp"

namespace upcall_serve {

// Shared by all loops; not changed while they run.
struct server_state {
    const options& settings;
    error_pages pages;
    connection_cap cap;
};

struct loop_server {
    loop_server(server_state& all, const upcall::file& root, std::string lines)
        : state(all),
          files(all.settings, root),
          blocks(all.settings.parsing.head_bytes),
          log(all.settings),
          server_lines(std::move(lines)) {}

    // Pieces of large files on their way out.
    static constexpr std::size_t piece_bytes = std::size_t{256} << 10;
    using piece = std::unique_ptr<std::byte[]>;

    piece borrow_piece() {
        if (pieces.empty()) return std::make_unique_for_overwrite<std::byte[]>(piece_bytes);
        piece taken = std::move(pieces.back());
        pieces.pop_back();
        return taken;
    }
    void return_piece(piece used) {
        if (pieces.size() < 16) pieces.push_back(std::move(used));
    }

    // The wall clock in seconds, looked at once per turn or so.
    std::int64_t unix_now();

    server_state& state;
    site files;
    block_pool blocks;
    access_writer log;
    date_cache dates;
    std::string server_lines;
    std::vector<piece> pieces;
    bool stopping = false;
};

}  // namespace upcall_serve
