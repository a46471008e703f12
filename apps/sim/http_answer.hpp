// What a client of a site hears: responses, one behind the other, on one connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <upcall/upcall.hpp>

namespace upcall_sim {

struct answer_head {
    int status = 0;
    std::uint64_t length = 0;
    bool closes = false;  // it is the last one
    std::string etag{};
    // Of a part: "bytes FIRST-LAST/TOTAL".
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t total = 0;
};

/// Nothing when it is no head of a response with a length.
bool read_head(std::string_view text, answer_head& into);

class answer_reader {
  public:
    /// Of a connection that outlives it. A slow one takes its time over large bodies.
    answer_reader(upcall::tcp::stream& from, upcall::duration patience, bool slow)
        : from_(&from), patience_(patience), slow_(slow) {}

    /// The next head. False: none came, see `end` and `begun`.
    upcall::task<bool> head(answer_head& into);
    /// And the body behind it.
    upcall::task<bool> body(std::uint64_t length, std::string& into);

    /// What ended it; none for a response that is none.
    std::error_code end() const noexcept { return end_; }
    /// Whether a response has begun that did not come to its end.
    bool begun() const noexcept { return inside_ || !heard_.empty(); }
    /// The longest time, so far, in which nothing came.
    upcall::duration longest_wait() const noexcept { return longest_wait_; }

  private:
    upcall::task<bool> hear();

    upcall::tcp::stream* from_;
    upcall::duration patience_;
    bool slow_;
    std::string heard_;
    bool inside_ = false;
    std::error_code end_;
    upcall::duration longest_wait_{};
};

}  // namespace upcall_sim
