// Brings the lines of an access log to its file without making a response wait.
#pragma once

#include <upcall/os/descriptor.hpp>
#include <upcall/upcall.hpp>

#include <atomic>
#include <string>

#include "serve/access_log.hpp"
#include "serve/options.hpp"

namespace upcall_serve {

// Opens the file to append to it, made if there is none; "-" is standard output.
upcall::task<upcall::result<upcall::descriptor>> open_access_log(std::string path);
// The same on the current loop, for a system whose handles stay with the loop that opened them.
// No name but a file's will do.
upcall::task<upcall::result<upcall::file>> open_log_file(std::string path);

// Lines are gathered and written a few times a second. When the file cannot keep up they are
// dropped, and counted in the log itself: a slow disk must not fill the memory. One per loop.
class access_writer {
  public:
    // `reopen_failed` is shared by all loops, so that one of them speaks.
    access_writer(const options& settings, std::atomic<bool>& reopen_failed)
        : settings_(settings), reopen_failed_(reopen_failed) {}

    // Writes to `log` from now on, and watches for SIGHUP.
    upcall::result<void> open(upcall::descriptor log);
    // Writes to `log` from now on, and never to another: nothing tells there that it was moved
    // away.
    void open(upcall::file log) { appended_ = std::move(log); }

    bool enabled() const { return out_ || appended_; }
    // A line for which there is no memory is dropped, and counted.
    void note(const access_entry& entry);

    // Writes until it is asked to end, then what is left.
    upcall::task<> run();
    // With each SIGHUP `run` opens the file anew, so that it can be moved away.
    upcall::task<> heed_hangups();

  private:
    static constexpr std::size_t pending_max = std::size_t{4} << 20;

    upcall::result<void> write_to(upcall::descriptor log);
    upcall::task<> reopen();
    upcall::task<upcall::transfer> write_out();
    upcall::task<> flush();
    upcall::task<> flush_rest();
    void put_dropped_line();

    const options& settings_;
    std::atomic<bool>& reopen_failed_;
    bool at_start_ = true;  // no hangup has been heeded
    upcall::signal_set hangups_;
    upcall::auto_event hung_up_;
    upcall::byte_stream out_;
    upcall::file appended_;  // in place of `out_`
    std::string pending_;
    std::string writing_;
    std::size_t dropped_ = 0;
    bool torn_ = false;  // the file ends inside a line; `writing_` begins with the rest of it
};

}  // namespace upcall_serve
