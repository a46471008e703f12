#include "serve/access_writer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <new>

namespace upcall_serve {

using namespace upcall;

namespace {

constexpr upcall::duration write_every = std::chrono::milliseconds(200);
constexpr upcall::duration rest_within = std::chrono::seconds(5);

constexpr std::uint32_t append_to = open_write | open_create | open_append;
constexpr std::uint32_t log_mode = 0640;

}  // namespace

task<result<descriptor>> open_access_log(std::string path) {
    if (path == "-") co_return descriptor::copy_of(1);
    auto opened = co_await file::open(path, append_to, log_mode);
    if (!opened) co_return failure(opened.error());
    auto native = opened->release();
    if (!native) co_return failure(native.error());
    co_return descriptor(*native);
}

task<result<file>> open_log_file(std::string path) {
    co_return co_await file::open(std::move(path), append_to | open_regular, log_mode);
}

result<void> access_writer::open(descriptor log) {
#ifdef SIGHUP
    auto hangups = signal_set::watch({SIGHUP});
    if (!hangups) return failure(hangups.error());
    hangups_ = std::move(*hangups);
    hung_up_.set();  // one may have come since the file was opened
#endif
    return write_to(std::move(log));
}

result<void> access_writer::write_to(descriptor log) {
    auto adopted = pipe::adopt(log.get());
    if (!adopted) return failure(adopted.error());
    log.release();
    if (std::exchange(torn_, false)) {
        // Its rest would mean nothing in another file.
        writing_.clear();
        ++dropped_;
    }
    out_ = std::move(*adopted);
    return {};
}

task<> access_writer::heed_hangups() {
    if (!hangups_) co_return;
    for (;;) {
        const auto came = co_await hangups_.next();
        if (!came) co_return;
        hung_up_.set();
    }
}

void access_writer::note(const access_entry& entry) {
    std::array<char, access_line_bytes_max> line;
    text_writer out(line);
    put_access_line(out, settings_.log_format, entry);
    if (pending_.size() + out.text().size() > pending_max) {
        ++dropped_;
        return;
    }
    try {
        pending_ += out.text();
    } catch (const std::bad_alloc&) {
        ++dropped_;
    }
}

// Without memory for a step, that step and the next are left to the next time: what was gathered
// stays, up to its bound.
task<> access_writer::run() {
    bool hung_up = false;
    for (;;) {
        const auto asked = co_await timeout(write_every, hung_up_.wait());
        if (!asked && asked.error() != errc::deadline_exceeded) break;
        if (asked) hung_up = true;
        try {
            co_await flush();
            if (hung_up) co_await reopen();
            hung_up = false;
        } catch (const std::bad_alloc&) {
            continue;
        }
    }
    // The last lines are those of the responses that the stop has waited for.
    try {
        task<> rest = flush_rest();
        co_await shield(rest_within, std::move(rest));
    } catch (const std::bad_alloc&) {
        co_return;
    }
}

/// What was gathered is written: the next lines go to the file that now has the log's name. If
/// there can be none they go on to the old one.
task<> access_writer::reopen() {
    const std::string path = *settings_.access_log;
    if (path == "-") co_return;
    // A pipe or a device is no file that somebody moved away, and opening one may take for ever.
    const auto seen = co_await status(path);
    if (seen && seen->type != file_type::regular) co_return;
    auto opened = co_await file::open(path, append_to | open_regular, log_mode);
    if (!opened && opened.error() == errc::cancelled) co_return;
    auto native = opened ? opened->release() : result<native_handle>(failure(opened.error()));
    const auto done =
        native ? write_to(descriptor(*native)) : result<void>(failure(native.error()));
    // What the look right after the start found may be older than the failure that was told.
    const bool at_start = std::exchange(at_start_, false);
    if (done && !at_start) reopen_failed_ = false;
    if (!done && !reopen_failed_.exchange(true))
        std::fprintf(stderr,
                     "upcall serve: cannot reopen the access log '%s': %s; the old file is kept\n",
                     path.c_str(), done.error().message().c_str());
}

task<> access_writer::flush_rest() {
    co_await flush();  // of a write that was cut short
    co_await flush();
}

task<transfer> access_writer::write_out() {
    if (appended_) co_return co_await appended_.write_all_at(bytes_of(writing_), 0);
    co_return co_await out_.write_all(bytes_of(writing_));
}

task<> access_writer::flush() {
    if (writing_.empty()) {
        std::swap(writing_, pending_);
        if (dropped_ > 0) put_dropped_line();
    }
    if (writing_.empty()) co_return;
    const transfer sent = co_await write_out();
    if (sent.bytes > 0) torn_ = writing_[sent.bytes - 1] != '\n';
    writing_.erase(0, sent.bytes);
    if (!sent && sent.cause != errc::cancelled) {
        // A full disk, a pipe that nobody reads: what cannot be written is counted. The rest of a
        // line that is there in half goes first when there is room again.
        const std::size_t kept = torn_ ? writing_.find('\n') + 1 : 0;
        const auto lost = std::string_view(writing_).substr(kept);
        dropped_ += static_cast<std::size_t>(std::ranges::count(lost, '\n'));
        writing_.resize(kept);
    }
}

void access_writer::put_dropped_line() {
    const std::string count = std::to_string(dropped_);
    if (settings_.log_format == access_log_format::common)
        writing_ += "# " + count + " lines dropped\n";
    else
        writing_ += "{\"dropped\":" + count + "}\n";
    dropped_ = 0;
}

}  // namespace upcall_serve
