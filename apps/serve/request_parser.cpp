#include "serve/request_parser.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <functional>

#include "serve/chars.hpp"

namespace upcall_serve {

request_parser::request_parser(const parse_limits& limits, block_pool& blocks)
    : limits_(limits), blocks_(blocks) {
    assert(blocks.block_bytes() >= limits.head_bytes);
    begin();
}

void request_parser::begin() {
    block_.release();
    carried_ = start_ = line_ = searched_ = read_ = fields_ = 0;
    method_refusal_ = {};
    state_ = parse_state::need_more;
    reading_ = {};
    request_.present_ = request_.repeated_ = 0;
    request_.host_ = {};
    llhttp_init(&llhttp_, HTTP_REQUEST, &callbacks);
    llhttp_.data = this;
}

parsed request_parser::feed(std::span<const char> bytes) {
    if (state_ == parse_state::refused) return {state_, 0};
    if (state_ == parse_state::complete) begin();
    if (bytes.empty()) return {state_, 0};

    const std::size_t before = carried_;
    const std::size_t taken = std::min(bytes.size(), limits_.head_bytes - before);
    if (before == 0) {
        state_ = advance(bytes.data(), taken);
        if (state_ == parse_state::need_more) {
            block_ = blocks_.borrow();
            std::memcpy(block_.data(), bytes.data(), taken);
            base_ = block_.data();
            carried_ = taken;
        }
    } else {
        std::memcpy(block_.data() + before, bytes.data(), taken);
        carried_ += taken;
        state_ = advance(block_.data(), carried_);
    }
    // On completion `line_` is the end of the head.
    return {state_, state_ == parse_state::complete ? line_ - before : taken};
}

void request_parser::keep() {
    if (state_ != parse_state::complete || block_) return;
    block_ = blocks_.borrow();
    const std::string_view from = request_.head_;
    const auto moved = [&](std::string_view part) {
        // A target may be a text of our own.
        const bool inside = !std::less<>()(part.data(), from.data()) &&
                            !std::less<>()(from.data() + from.size(), part.data());
        return inside ? std::string_view(block_.data() + (part.data() - from.data()), part.size())
                      : part;
    };
    std::memcpy(block_.data(), from.data(), from.size());
    request_.target_ = moved(request_.target_);
    request_.host_ = moved(request_.host_);
    request_.head_ = moved(from);
}

std::string_view request_parser::first_line() const {
    const std::string_view known = between(std::min(start_, size_), size_);
    return known.substr(0, known.find_first_of("\r\n"));
}

parse_state request_parser::advance(const char* base, std::size_t size) {
    base_ = base;
    size_ = size;
    // RFC 9112, section 2.2: one empty line before a request is forgiven.
    if (start_ == 0 && base[0] == '\r') {
        if (size == 1) return parse_state::need_more;
        if (base[1] != '\n') return refuse({400, "bare CR"});
        start_ = line_ = searched_ = read_ = 2;
    }
    if (line_ == start_)
        if (const refusal why = check_beginning(between(line_, size)); why.status != 0)
            return refuse(why);
    for (;;) {
        const void* found = std::memchr(base + searched_, '\n', size - searched_);
        if (found == nullptr) return advance_partial(size);
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - base) + 1;
        if (const parse_state state = advance_line(end); state != parse_state::need_more)
            return state;
    }
}

// Limits are judged by position alone: a line that is too long is refused at the same byte,
// whether or not its end has already arrived.
parse_state request_parser::advance_partial(std::size_t size) {
    searched_ = size;
    if (size - line_ >= limits_.line_bytes || size >= limits_.head_bytes)
        return refuse_after_lines(too_large());
    return read_lines() ? parse_state::need_more : parse_state::refused;
}

parse_state request_parser::advance_line(std::size_t end) {
    if (end - line_ > limits_.line_bytes) return refuse_after_lines(too_large());
    if (end - line_ < 2 || base_[end - 2] != '\r')
        return refuse_after_lines({400, "line does not end in CRLF"});
    const std::string_view line = between(line_, end - 2);
    if (line_ == start_) {
        if (const parse_state state = advance_first_line(line); state != parse_state::need_more)
            return state;
    } else {
        if (line.empty()) return advance_end(end);
        if (!is_token_char(line[0])) return refuse_after_lines({400, "folded or nameless field"});
        if (++fields_ > limits_.fields) return refuse_after_lines({431, "too many fields"});
    }
    line_ = searched_ = end;
    return parse_state::need_more;
}

parse_state request_parser::advance_first_line(std::string_view line) {
    const auto parts = parse_request_line(line);
    if (!parts) return refuse(parts.error());
    if (const auto served = served_method(parts->method))
        request_.method_ = *served;
    else if (served.error().status == 501)  // llhttp need not know it, so the rest stays unread
        return refuse(served.error());
    else
        method_refusal_ = served.error();
    target_ = extent_of(parts->target);
    request_.minor_ = parts->minor;
    request_.line_bytes_ = static_cast<std::uint32_t>(line.size());
    return parse_state::need_more;
}

parse_state request_parser::advance_end(std::size_t end) {
    line_ = searched_ = end;
    if (!read_lines()) return parse_state::refused;
    request_.head_ = between(start_, end);
    if (const refusal why = judge(); why.status != 0) return refuse(why);
    return parse_state::complete;
}

bool request_parser::read_lines() {
    if (read_ == line_) return true;
    const bool first = read_ == start_;
    const std::string_view lines = between(read_, line_);
    read_ = line_;
    if (!is_ascii(lines)) {
        refuse({400, "byte outside ASCII"});
        return false;
    }
    if (!first) return execute(lines);
    // Of a later HTTP/1.x llhttp is told 1.1, the latest that it takes.
    const std::size_t minor = request_.line_bytes_ - 1;
    if (lines[minor] <= '1') return execute(lines);
    return execute(lines.substr(0, minor)) && execute("1") && execute(lines.substr(minor + 1));
}

bool request_parser::execute(std::string_view bytes) {
    const llhttp_errno_t error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
    if (error == HPE_OK || (error == HPE_PAUSED && reading_.complete)) return true;
    refuse({400, llhttp_get_error_reason(&llhttp_)});
    return false;
}

parse_state request_parser::refuse(refusal why) {
    why_ = why;
    return state_ = parse_state::refused;
}

// An earlier line's fault goes first, as it would have, had the lines arrived one by one.
parse_state request_parser::refuse_after_lines(refusal why) {
    return read_lines() ? refuse(why) : parse_state::refused;
}

refusal request_parser::too_large() const {
    if (line_ == start_) return {414, "request line too long"};
    return {431, "header too large"};
}

// The lines as found here and as read by llhttp must be the same ones.
refusal request_parser::judge() {
    if (!reading_.complete || reading_.fields != fields_ || reading_.url.offset != target_.offset ||
        reading_.url.bytes != target_.bytes)
        return {400, "ambiguous request head"};
    if (const refusal why = judge_host(); why.status != 0) return why;
    const refusal body = judge_body();
    if (body.status == 400) return body;
    if (method_refusal_.status != 0) return method_refusal_;
    request_.host_ = request_.single(field::host);
    const auto target =
        origin_form(between(target_.offset, target_.offset + target_.bytes), request_.host_);
    if (!target) return target.error();
    request_.target_ = *target;
    if (body.status != 0) return body;
    request_.keep_alive_ = judge_keep_alive();
    return judge_expectation();
}

// RFC 9112, section 3.2.
refusal request_parser::judge_host() const {
    if (!request_.has(field::host))
        return request_.minor_ == 0 ? refusal{} : refusal{400, "Host is missing"};
    if ((request_.repeated_ & request::bit(field::host)) != 0) return {400, "Host is repeated"};
    if (!is_host(request_.first(field::host))) return {400, "Host is invalid"};
    return {};
}

// RFC 9112, section 6.3, without its leniencies: whatever leaves the length of the body open to
// interpretation is 400. A body of known length is 413, as nothing here takes one.
refusal request_parser::judge_body() const {
    const bool has_length = request_.has(field::content_length);
    if (request_.has(field::transfer_encoding)) {
        if (has_length) return {400, "both Content-Length and Transfer-Encoding"};
        if (request_.minor_ == 0) return {400, "Transfer-Encoding in HTTP/1.0"};
        if (!equals_lower(request_.single(field::transfer_encoding), "chunked"))
            return {400, "Transfer-Encoding other than chunked"};
        return {413, "a body is not taken"};
    }
    if (!has_length) return {};
    const std::string_view value = request_.single(field::content_length);
    std::int64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    // from_chars takes a minus sign, and nothing else that is not a digit.
    if (error != std::errc{} || end != value.data() + value.size() || value[0] == '-')
        return {400, "invalid Content-Length"};
    return length == 0 ? refusal{} : refusal{413, "a body is not taken"};
}

// RFC 9110, section 10.1.1. As no body is taken, there is nothing to continue with.
refusal request_parser::judge_expectation() const {
    bool met = true;
    request_.for_each(field::expect, [&](std::string_view value) {
        met = met && equals_lower(value, "100-continue");
    });
    return met ? refusal{} : refusal{417, "unknown expectation"};
}

bool request_parser::judge_keep_alive() const {
    bool close = false;
    bool keep = request_.minor_ == 1;
    request_.for_each(field::connection, [&](std::string_view value) {
        close = close || list_has_token(value, "close");
        keep = keep || list_has_token(value, "keep-alive");
    });
    return keep && !close;
}

request_parser& request_parser::self(llhttp_t* parser) {
    return *static_cast<request_parser*>(parser->data);
}

const llhttp_settings_t request_parser::callbacks = [] {
    llhttp_settings_t made{};
    made.on_url = on_url;
    made.on_header_field = on_field;
    made.on_header_value = on_value;
    made.on_headers_complete = on_head;
    return made;
}();

int request_parser::on_url(llhttp_t* parser, const char* at, std::size_t bytes) {
    request_parser& parent = self(parser);
    parent.reading_.url = parent.extent_of({at, bytes});
    return 0;
}

int request_parser::on_field(llhttp_t* parser, const char* at, std::size_t bytes) {
    reading& seen = self(parser).reading_;
    seen.name = field_named({at, bytes});
    ++seen.fields;
    return 0;
}

int request_parser::on_value(llhttp_t* parser, const char* at, std::size_t bytes) {
    request_parser& parent = self(parser);
    const field name = parent.reading_.name;
    if (name == field::other) return 0;
    request& into = parent.request_;
    if (into.has(name)) {
        into.repeated_ |= request::bit(name);
        return 0;
    }
    into.present_ |= request::bit(name);
    request::extent at_head = parent.extent_of(trim_blanks({at, bytes}));
    at_head.offset -= static_cast<std::uint32_t>(parent.start_);
    into.fields_[static_cast<std::size_t>(name)] = at_head;
    return 0;
}

// The head is all there is to read: what follows is the next request.
int request_parser::on_head(llhttp_t* parser) {
    self(parser).reading_.complete = true;
    return HPE_PAUSED;
}

}  // namespace upcall_serve
