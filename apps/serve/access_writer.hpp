// Brings the lines of an access log to its file without making a response wait.
#pragma once

#include <upcall/upcall.hpp>

#include <string>

#include "serve/access_log.hpp"
#include "serve/options.hpp"

namespace upcall_serve {

// Lines are gathered and written a few times a second. When the file cannot keep up they are
// dropped, and counted in the log itself: a slow disk must not fill the memory. One per loop.
class access_writer {
  public:
    explicit access_writer(const options& settings) : format_(settings.log_format) {}

    // Opens the log, if one is asked for.
    upcall::task<upcall::result<void>> open(const options& settings);

    bool enabled() const { return static_cast<bool>(out_); }
    void note(const access_entry& entry);

    // Writes until it is asked to end, then what is left.
    upcall::task<> run();

  private:
    static constexpr std::size_t pending_max = std::size_t{4} << 20;

    upcall::task<> flush();
    upcall::task<> flush_rest();
    void put_dropped_line();

    access_log_format format_;
    upcall::byte_stream out_;
    std::string pending_;
    std::string writing_;
    std::size_t dropped_ = 0;
};

}  // namespace upcall_serve
