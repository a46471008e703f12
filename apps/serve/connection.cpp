#include "serve/connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "serve/conditions.hpp"
#include "serve/planted.hpp"
#include "serve/transfer_watch.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

// After `stop` an idle connection is given this long, as its next request may be on its way.
constexpr upcall::duration last_call = std::chrono::milliseconds(100);

// For what has arrived to be seen.
constexpr upcall::duration one_turn = std::chrono::milliseconds(1);

// A connection that we end is read on for a while, so that the response is not lost to a reset.
constexpr upcall::duration linger = std::chrono::seconds(2);
constexpr std::size_t linger_bytes_max = std::size_t{256} << 10;

constexpr std::string_view bare_failure =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::span<const char> chars_of(const lease& chunk) {
    return {reinterpret_cast<const char*>(chunk.data()), chunk.size()};
}

// Of a file that was there a moment ago.
int status_of(const std::error_code& why) {
    if (is_shortage(why)) return 503;
    return why == std::errc::permission_denied ? 403 : 404;
}

int status_of(site_answer::kind what) {
    using kind = site_answer::kind;
    switch (what) {
        case kind::file:
            return 200;
        case kind::directory:
            return 301;
        case kind::missing:
            return 404;
        case kind::forbidden:
            return 403;
        case kind::busy:
            return 503;
        case kind::failed:
            break;
    }
    return 500;
}

byte_view bytes_of_block(const block_pool::block& block, std::size_t size) {
    return {reinterpret_cast<const std::byte*>(block.data()), size};
}

}  // namespace

std::int64_t loop_server::unix_now(time_point turn) {
    using namespace std::chrono;
    if (turn != unix_now_read_) {
        unix_now_read_ = turn;
        unix_now_ = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
    }
    return unix_now_;
}

connection::connection(loop_server& server, byte_stream peer, std::string client)
    : server_(server),
      peer_(std::move(peer)),
      client_(std::move(client)),
      parser_(server.state.settings.parsing, server.blocks) {
    idle_.peer = &peer_;
}

task<> connection::run() {
    co_await serve();
    if (linger_ > upcall::duration{}) co_await close_politely(linger_);
}

/// Answers requests until the connection is to be ended.
task<> connection::serve() {
    for (;;) {
        result<lease> chunk;
        if (parser_.mid_request())
            chunk = co_await deadline_at(head_deadline_, peer_.receive_more());
        else
            chunk = co_await receive_first();
        if (!chunk) {
            if (parser_.mid_request() && chunk.error() == errc::deadline_exceeded) {
                linger_ = linger;
                co_await refuse({408, "the request took too long"});
            }
            if (chunk.error() == errc::end_of_stream) linger_ = {};
            co_return;
        }
        take(std::move(*chunk));
        while (!rest_.empty()) {
            const parsed step = parser_.feed(rest_);
            rest_ = rest_.subspan(step.consumed);
            if (step.state == parse_state::need_more) break;
            linger_ = linger;
            if (step.state == parse_state::refused) {
                co_await refuse(parser_.why());
                co_return;
            }
            last_ = rest_.empty() && server_.crowded();
            const bool stopping = co_await this_task::stop_requested();
            if (stopping && rest_.empty() && !last_) last_ = co_await is_last();
            const bool usable = co_await respond(parser_.current());
            if (!usable || !keep_alive_) co_return;
            // What is here of the next request counts from now.
            head_deadline_ = peer_.home().now() + server_.state.settings.header_timeout;
        }
        chunk_.reset();
        held_.reset();
        waiting_for_first_ = false;
    }
}

// Patience is counted from the start of the turn: in seconds that is near enough, and saves two
// looks at the clock for each request.

/// The first bytes of a request, within the time a connection may be idle.
task<result<lease>> connection::receive_first() {
    const options& settings = server_.state.settings;
    idle_.since = peer_.home().now();
    (waiting_for_first_ ? server_.silent : server_.idle).push_back(idle_);
    const auto patience = waiting_for_first_ ? settings.header_timeout : settings.idle_timeout;
    auto chunk = co_await deadline_at(idle_.since + patience, peer_.receive());
    if (idle_.linked()) idle_.unlink();
    if (!chunk && chunk.error() == errc::cancelled) {
        chunk = co_await timeout(last_call, peer_.receive_more());
        if (!chunk) linger_ = last_call;
    }
    head_deadline_ = peer_.home().now() + settings.header_timeout;
    co_return chunk;
}

/// The server was asked to stop: whether the request in hand is to be the connection's last. Those
/// that have arrived behind it are still answered.
task<bool> connection::is_last() {
    if (UPCALL_PLANTED("a stop answers only what is at hand")) co_return true;
    auto chunk = co_await timeout(one_turn, peer_.receive_more());
    if (!chunk) co_return true;
    parser_.keep();
    take(std::move(*chunk));
    co_return false;
}

void connection::take(lease chunk) {
    chunk_ = std::move(chunk);
    rest_ = chars_of(chunk_);
    held_.reset();
}

/// Before a response, which the peer may take as slowly as it likes: what was received is in a
/// buffer of the loop, and there are only so many for all its connections. Copies what there is of
/// later requests, and the one in hand if it is still needed.
void connection::let_go(bool keep_request) {
    if (chunk_.empty()) return;
    if (keep_request) parser_.keep();
    if (UPCALL_PLANTED("requests behind a response are forgotten")) rest_ = {};
    if (!rest_.empty()) {
        held_ = std::make_unique_for_overwrite<char[]>(rest_.size());
        std::memcpy(held_.get(), rest_.data(), rest_.size());
        rest_ = {held_.get(), rest_.size()};
    }
    chunk_.reset();
}

connection_state connection::state_of_connection() {
    return {.server_lines = server_.server_lines,
            .date = server_.dates.at(server_.unix_now(peer_.home().now())),
            .minor_version = minor_version_,
            .keep_alive = keep_alive_};
}

/// Answers one request. False when the connection cannot be used any more.
task<bool> connection::respond(const request& asked) {
    const options& settings = server_.state.settings;
    ++served_;
    minor_version_ = asked.minor_version();
    keep_alive_ = asked.keep_alive() && served_ < settings.requests_per_connection_max && !last_;
    sent_anew_ = 0;
    begin_response();

    std::array<char, 1024> short_name;
    std::string long_name;
    std::span<char> name = short_name;
    if (decoded_target_bytes(asked.target().size()) > name.size()) {
        long_name.resize(decoded_target_bytes(asked.target().size()));
        name = long_name;
    }
    const auto path = decode_target(asked.target(), name, {.dotfiles = settings.dotfiles});
    bool usable = false;
    if (!path) {
        usable = co_await send_failure(asked, path.error().status);
    } else if (path->directory || path->path == ".") {
        usable = co_await respond_with_index(asked, *path);
    } else if (auto found = server_.files.find_kept(path->path, peer_.home().now())) {
        usable = co_await send_file(asked, path->path, std::move(found));
    } else {
        usable = co_await respond_slowly(asked, *path);
    }
    if (server_.log.enabled()) note(&asked, asked.line());
    co_return usable;
}

task<bool> connection::respond_slowly(const request& asked, target_path path) {
    using kind = site_answer::kind;
    let_go(true);
    path.query = asked.target().substr(asked.target().size() - path.query.size());
    site_answer found = co_await server_.files.find(path.path);
    switch (found.what) {
        case kind::file:
            co_return co_await send_file(asked, path.path, std::move(found.file));
        case kind::directory: {
            outgoing out{.block = server_.blocks.borrow()};
            text_writer text(out.room());
            put_directory_redirect(text, state_of_connection(), path.path, path.query);
            if (!text.fits()) co_return co_await send_error(414, asked.is_head());
            out.set_head(text);
            status_ = 301;
            co_return co_await send(out);
        }
        case kind::missing:
            co_return co_await send_failure(asked, 404);
        case kind::forbidden:
        case kind::busy:
        case kind::failed:
            break;
    }
    co_return co_await send_error(status_of(found.what), asked.is_head());
}

task<bool> connection::respond_with_index(const request& asked, target_path path) {
    const options& settings = server_.state.settings;
    let_go(true);
    for (const std::string& index : settings.index) {
        std::string name = path.path == "." ? index : std::string(path.path) + "/" + index;
        auto kept = server_.files.find_kept(name, peer_.home().now());
        if (!kept) {
            site_answer found = co_await server_.files.find(name);
            // One that is there and cannot be had is not passed over for a list of its neighbours.
            const int status = status_of(found.what);
            if (status == 403 || status >= 500)
                co_return co_await send_error(status, asked.is_head());
            kept = std::move(found.file);
        }
        if (kept) co_return co_await send_file(asked, name, std::move(kept));
    }
    if (settings.list_directories) co_return co_await respond_with_listing(asked, path);
    co_return co_await send_failure(asked, 404);
}

task<bool> connection::respond_with_listing(const request& asked, target_path path) {
    auto directory = co_await file::open(std::string(path.path),
                                         open_read | open_directory | server_.files.beneath(), 0,
                                         &server_.files.root());
    if (!directory) co_return co_await send_failure(asked, status_of(directory.error()));
    auto names = co_await directory->list();
    if (!names) co_return co_await send_error(500, asked.is_head());
    const precondition condition = check_preconditions(asked);
    if (condition == precondition::failed) co_return co_await send_error(412, asked.is_head());
    if (condition == precondition::not_modified) {
        outgoing kept{.block = server_.blocks.borrow()};
        text_writer head(kept.room());
        put_listing_kept(head, state_of_connection());
        kept.set_head(head);
        status_ = 304;
        co_return co_await send(kept);
    }
    const path_rules rules{.dotfiles = server_.state.settings.dotfiles};
    std::vector<listing_entry> entries;
    for (const directory_entry& name : *names) {
        if (!can_be_asked_for(name.name, rules)) continue;
        // From the root, so that a link which leads out of it is not followed, nor told of.
        auto seen = co_await status(std::string(path.path) + "/" + name.name, &server_.files.root(),
                                    server_.files.beneath());
        if (!seen || (seen->type != file_type::regular && seen->type != file_type::directory))
            continue;
        entries.push_back({.name = name.name,
                           .directory = seen->type == file_type::directory,
                           .bytes = seen->size,
                           .modified = seen->modified_ns / 1'000'000'000});
    }
    const std::string html = make_listing(path.path, entries);
    outgoing out{.block = server_.blocks.borrow()};
    text_writer text(out.room());
    put_listing_head(text, state_of_connection(), html.size());
    out.set_head(text);
    if (!asked.is_head()) out.body = bytes_of(html);
    status_ = 200;
    co_return co_await send(out);
}

/// Sends a file that was found, or what its conditions and ranges make of it.
task<bool> connection::send_file(const request& asked, std::string_view path,
                                 std::shared_ptr<const resource> found) {
    content_coding coding = content_coding::identity;
    if (asked.has(field::accept_encoding) && !found->codings().empty())
        coding = accepted_codings::of(asked).choose(found->codings());
    const resource::variant& chosen = (*found)[coding];
    const file_entity& entity = chosen.entity;
    const file_response response =
        answer_with_file(asked, entity, server_.unix_now(peer_.home().now()));
    status_ = response.status;
    if (response.status == 412) co_return co_await send_error(412, asked.is_head());
    if (response.status == 416) {
        const std::string size =
            "Content-Range: bytes */" + std::to_string(entity.bytes()) + "\r\n";
        co_return co_await send_error(416, asked.is_head(), size);
    }
    content body{.hold = std::move(found),
                 .entity = entity,
                 .kept = {chosen.content.get(), chosen.content ? entity.bytes() : 0},
                 .path = path,
                 .coding = coding};
    const std::uint64_t count =
        response.is_multipart() ? entity.bytes() : body_bytes(response, entity, nullptr);
    const bool has_body = !asked.is_head() && count > 0;
    if (has_body && !body.in_memory()) {
        let_go(true);
        // Before anything is promised: the file may have gone, or be another by now.
        auto opened = co_await server_.files.open(path, coding);
        if (!opened) co_return co_await send_failure(asked, status_of(opened.error()));
        const bool same = co_await server_.files.is_same(*opened, path, body.hold, coding);
        if (!same) co_return co_await send_anew(asked, path);
        body.open = std::move(*opened);
    }
    if (response.is_multipart()) co_return co_await send_ranges(asked, body, response);

    outgoing out{.block = server_.blocks.borrow()};
    text_writer text(out.room());
    put_file_head(text, state_of_connection(), response, entity, nullptr);
    out.set_head(text);
    const std::uint64_t first = response.status == 206 ? response.ranges.ranges()[0].first : 0;
    if (has_body && body.in_memory()) out.body = body.kept.subspan(first, count);
    const bool sent = co_await send(out);
    if (!sent || !has_body || body.in_memory()) co_return sent;
    co_return co_await send_section(body, first, count);
}

/// Another file has taken the place of the one that was found. If that goes on and on, there is
/// no answer.
task<bool> connection::send_anew(const request& asked, std::string_view path) {
    if (++sent_anew_ > 3) co_return co_await send_error(503, asked.is_head());
    co_return co_await respond_slowly(asked, {.path = path, .directory = false, .query = {}});
}

task<bool> connection::send_ranges(const request& asked, content& body,
                                   const file_response& response) {
    driver& via = peer_.home().via();
    const multipart parts(body.entity.content_type(), body.entity.bytes(),
                          {via.random(), via.random()});
    outgoing out{.block = server_.blocks.borrow()};
    text_writer head(out.room());
    put_file_head(head, state_of_connection(), response, body.entity, &parts);
    out.set_head(head);
    bool sent = co_await send(out);
    if (!sent || asked.is_head()) co_return sent;
    for (const byte_range& range : response.ranges.ranges()) {
        text_writer part(out.room());
        parts.put_part_head(part, range);
        sent = co_await send_text(out, part);
        if (!sent) co_return false;
        sent = co_await send_section(body, range.first, range.bytes());
        if (!sent) co_return false;
    }
    text_writer end(out.room());
    parts.put_end(end);
    co_return co_await send_text(out, end);
}

/// Sends a stretch of a file. A file that has shrunk meanwhile cannot keep its promised length:
/// false, and the connection ends, which tells the peer.
task<bool> connection::send_section(content& body, std::uint64_t first, std::uint64_t count) {
    if (body.in_memory()) co_return co_await send_bytes(body.kept.subspan(first, count));
    const piece_pool::piece piece = server_.pieces.borrow();
    while (count > 0) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, piece.bytes()));
        const std::span<std::byte> room = piece.room().first(wanted);
        const transfer got = co_await body.open.read_exactly_at(room, first);
        if (!got) co_return false;
        const bool sent = co_await send_bytes(room);
        if (!sent) co_return false;
        first += wanted;
        count -= wanted;
    }
    co_return true;
}

/// As send_error, and for what is missing with the page that the directory has for it.
task<bool> connection::send_failure(const request& asked, int status) {
    if (status != 404) co_return co_await send_error(status, asked.is_head());
    let_go(true);
    const auto page = co_await server_.files.find_missing_page();
    if (!page) co_return co_await send_error(404, asked.is_head());
    const resource::variant& plain = (*page)[content_coding::identity];
    const std::uint64_t bytes = plain.entity.bytes();
    content body{.hold = page,
                 .entity = plain.entity,
                 .kept = {plain.content.get(), plain.content ? bytes : 0},
                 .path = {},
                 .coding = content_coding::identity};
    if (!body.in_memory()) {
        auto opened = co_await server_.files.open(missing_page_name, body.coding);
        if (!opened) co_return co_await send_error(404, asked.is_head());
        const bool same =
            co_await server_.files.is_same(*opened, missing_page_name, page, body.coding);
        if (!same) co_return co_await send_error(404, asked.is_head());
        body.open = std::move(*opened);
    }
    status_ = 404;
    outgoing out{.block = server_.blocks.borrow()};
    text_writer text(out.room());
    put_error_head(text, state_of_connection(), 404, bytes);
    out.set_head(text);
    const bool has_body = !asked.is_head() && bytes > 0;
    if (has_body && body.in_memory()) out.body = body.kept;
    const bool sent = co_await send(out);
    if (!sent || !has_body || body.in_memory()) co_return sent;
    co_return co_await send_section(body, 0, bytes);
}

task<bool> connection::send_error(int status, bool head_only, std::string_view lines) {
    status_ = status;
    const std::string_view html = server_.state.pages.html(status);
    outgoing out{.block = server_.blocks.borrow()};
    text_writer text(out.room());
    put_error_head(text, state_of_connection(), status, html.size(), lines);
    out.set_head(text);
    if (!head_only) out.body = bytes_of(html);
    co_return co_await send(out);
}

task<bool> connection::refuse(const refusal& why) {
    keep_alive_ = false;
    rest_ = {};
    begin_response();
    const bool logged = server_.log.enabled();
    const std::string line(logged ? parser_.first_line() : std::string_view{});
    const bool sent = co_await send_error(why.status, parser_.asks_for_head());
    if (logged) note(nullptr, line);
    co_return sent;
}

/// A head with its body. A short one goes out as one piece, which costs less than two.
task<bool> connection::send(outgoing& what) {
    let_go(server_.log.enabled());
    if (what.head_bytes == 0) return send_bare_failure();
    head_bytes_ = what.head_bytes;
    if (what.head_bytes + what.body.size() > server_.blocks.block_bytes()) return send_pieces(what);
    if (!what.body.empty())
        std::memcpy(what.block.data() + what.head_bytes, what.body.data(), what.body.size());
    return send_bytes(bytes_of_block(what.block, what.head_bytes + what.body.size()));
}

/// For a response whose head has no room.
task<bool> connection::send_bare_failure() {
    status_ = 500;
    keep_alive_ = false;
    co_await send_bytes(bytes_of(bare_failure));
    co_return false;
}

/// Sends what was written into the block, or nothing if that was not all of it.
task<bool> connection::send_text(const outgoing& in, const text_writer& text) {
    if (!text.fits()) co_return false;
    co_return co_await send_bytes(bytes_of_block(in.block, text.wanted()));
}

task<bool> connection::send_pieces(outgoing& what) {
    std::array<io_slice, 2> pieces = {io_slice(bytes_of_block(what.block, what.head_bytes)),
                                      io_slice(what.body)};
    const time_point until = peer_.home().now() + server_.state.settings.send_timeout;
    const transfer sent = co_await deadline_at(until, peer_.write_all(std::span(pieces)));
    sent_ += sent.bytes;
    if (sent) co_return true;
    if (sent.cause != errc::deadline_exceeded || sent.bytes < what.head_bytes) co_return false;
    co_return co_await send_bytes(what.body.subspan(sent.bytes - what.head_bytes));
}

/// Sends all of `bytes` to a peer that keeps taking them.
task<bool> connection::send_bytes(byte_view bytes) {
    const options& settings = server_.state.settings;
    loop& home = peer_.home();
    std::optional<transfer_watch> watch;
    for (;;) {
        const time_point now = home.now();
        const time_point until = watch ? watch->deadline() : now + settings.send_timeout;
        const transfer sent = co_await deadline_at(until, peer_.write_all(bytes));
        sent_ += sent.bytes;
        if (sent) co_return true;
        if (sent.cause != errc::deadline_exceeded) co_return false;
        if (!watch) watch.emplace(now, settings.send_timeout, settings.send_rate_min);
        watch->progressed(sent.bytes, home.now());
        if (watch->expired(home.now())) co_return false;
        if (UPCALL_PLANTED("a response that takes long begins again")) continue;
        bytes = bytes.subspan(sent.bytes);
    }
}

/// Ends our side first and reads what the peer still sends, for a while.
task<> connection::close_politely(upcall::duration patience) {
    loop& home = peer_.home();
    if (server_.crowded()) patience = std::min(patience, last_call);
    const time_point until = home.now() + patience;
    const auto ended = co_await timeout(patience, peer_.shut_down_writing());
    if (!ended) co_return;
    std::size_t read = 0;
    while (read < linger_bytes_max) {
        auto chunk = co_await timeout(until - home.now(), peer_.receive_more());
        if (!chunk) break;
        read += chunk->size();
    }
    static_cast<void>(co_await peer_.close());
}

void connection::begin_response() {
    sent_ = head_bytes_ = 0;
    if (server_.log.enabled()) began_ = std::chrono::steady_clock::now();
}

void connection::note(const request* asked, std::string_view line) {
    using namespace std::chrono;
    const auto lasted = steady_clock::now() - began_;
    const auto began = system_clock::now() - duration_cast<system_clock::duration>(lasted);
    server_.log.note({.client = client_,
                      .time_ms = duration_cast<milliseconds>(began.time_since_epoch()).count(),
                      .duration_us = duration_cast<microseconds>(lasted).count(),
                      .request_line = line,
                      .host = asked ? asked->host() : std::string_view{},
                      .referer = asked ? asked->single(field::referer) : std::string_view{},
                      .user_agent = asked ? asked->single(field::user_agent) : std::string_view{},
                      .status = status_,
                      .body_bytes = sent_ - std::min(sent_, head_bytes_)});
}

}  // namespace upcall_serve
