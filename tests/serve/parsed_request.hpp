// A request for tests that need one: parsed from text, and alive as long as this.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "serve/request_parser.hpp"

namespace upcall_serve {

class parsed_request {
  public:
    // GET / of HTTP/1.1 with these fields, each with its CRLF.
    explicit parsed_request(std::string_view fields, std::string_view line = "GET / HTTP/1.1")
        : text_(std::string(line) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n") {
        EXPECT_EQ(parser_.feed(text_).state, parse_state::complete)
            << text_ << parser_.why().reason;
    }

    const request& operator*() const { return parser_.current(); }
    const request* operator->() const { return &parser_.current(); }

  private:
    std::string text_;
    parse_limits limits_;
    block_pool blocks_{limits_.head_bytes, 1};
    request_parser parser_{limits_, blocks_};
};

}  // namespace upcall_serve
