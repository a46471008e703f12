// Turns received bytes into requests, one at a time, and refuses everything whose framing could
// be read in two ways.
//
//     request_parser parser(limits, blocks);
//     std::span<const char> rest = received;
//     for (;;) {
//         parsed step = parser.feed(rest);
//         rest = rest.subspan(step.consumed);
//         if (step.state == parse_state::need_more) break;             // receive again
//         if (step.state == parse_state::refused) return refuse(parser.why());
//         respond(parser.current());                                   // then go on with `rest`
//     }
//
// A request that lies in one span is parsed in place: its views point into that span. One that
// does not is gathered in a block of the pool, which is given back at the next feed. How the
// bytes are cut into spans never changes the outcome.
//
// Two readers must agree on every head. This class finds the lines, and insists on CRLF, on
// one-line fields, on printable ASCII and on the limits; llhttp in strict mode reads the same
// lines and judges names, values and lengths. Lines go to llhttp whole, so what it reports
// depends on lines alone.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "serve/block_pool.hpp"
#include "serve/limits.hpp"
#include "serve/request.hpp"

namespace upcall_serve {

enum class parse_state : std::uint8_t { need_more, complete, refused };

struct parsed {
    parse_state state;
    std::size_t consumed;  // of the span just fed; what follows belongs to the next request
};

class request_parser {
  public:
    // Both outlive the parser. `blocks` gives blocks of at least `limits.head_bytes`.
    request_parser(const parse_limits& limits, block_pool& blocks);

    // The parser is where its own parser points back to.
    request_parser(const request_parser&) = delete;
    request_parser& operator=(const request_parser&) = delete;

    // Reads on. After `complete` the next call begins the next request; after `refused` every
    // call is refused: the connection is to be closed. Throws std::bad_alloc when the pool has no
    // block and memory is out; the parser is then of no further use.
    parsed feed(std::span<const char> bytes);

    // The request of the last feed that said `complete`, until the next feed or until the span
    // then fed goes away.
    const request& current() const { return request_; }

    // Moves the current request into a block, so that the span it was read from may go. Views taken
    // from it before are of that span. Throws std::bad_alloc, and then nothing was moved.
    void keep();

    // After `refused`: the cause.
    const refusal& why() const { return why_; }

    // After `refused`, for as long as the span that was, and in mid-request: as much of the request
    // line as there is, any bytes at all.
    std::string_view first_line() const;

    // Then, too: what is asked for is a head alone, as far as that can be told.
    bool asks_for_head() const { return first_line().starts_with("HEAD "); }

    // A request has begun and is not complete: the deadline for heads applies, not the idle one.
    bool mid_request() const { return state_ == parse_state::need_more && carried_ > 0; }

  private:
    // What llhttp reports of the lines it is given.
    struct reading {
        request::extent url;
        std::size_t fields = 0;
        field name = field::other;
        bool complete = false;
    };

    static const llhttp_settings_t callbacks;
    static request_parser& self(llhttp_t* parser);
    static int on_url(llhttp_t* parser, const char* at, std::size_t bytes);
    static int on_field(llhttp_t* parser, const char* at, std::size_t bytes);
    static int on_value(llhttp_t* parser, const char* at, std::size_t bytes);
    static int on_head(llhttp_t* parser);

    void begin();
    parse_state advance(const char* base, std::size_t size);
    parse_state advance_partial(std::size_t size);
    parse_state advance_line(std::size_t end);
    parse_state advance_first_line(std::string_view line);
    parse_state advance_end(std::size_t end);
    bool read_lines();
    bool execute(std::string_view bytes);
    refusal judge_host() const;
    refusal judge_body() const;
    refusal judge_expectation() const;
    refusal judge();
    bool judge_keep_alive() const;
    parse_state refuse(refusal why);
    parse_state refuse_after_lines(refusal why);
    refusal too_large() const;

    std::string_view between(std::size_t from, std::size_t to) const {
        return {base_ + from, to - from};
    }
    request::extent extent_of(std::string_view part) const {
        return {static_cast<std::uint32_t>(part.data() - base_),
                static_cast<std::uint32_t>(part.size())};
    }

    const parse_limits& limits_;
    block_pool& blocks_;
    block_pool::block block_;
    const char* base_ = nullptr;  // where the request's bytes are, during a feed
    std::size_t size_ = 0;        // and how many there are
    std::size_t carried_ = 0;     // bytes of this request in the block
    std::size_t start_ = 0;       // of the request line: behind an empty line, if there was one
    std::size_t line_ = 0;        // start of the line being received
    std::size_t searched_ = 0;    // there is no line end between `line_` and here
    std::size_t read_ = 0;        // what llhttp has had
    std::size_t fields_ = 0;
    request::extent target_;
    refusal method_refusal_;  // told only when the rest of the head is found good
    parse_state state_ = parse_state::need_more;
    refusal why_;
    reading reading_;
    request request_;
    llhttp_t llhttp_;
};

}  // namespace upcall_serve
