#include "serve/access_writer.hpp"

#include <upcall/os/descriptor.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace upcall_serve {

using namespace upcall;

namespace {

constexpr upcall::duration write_every = std::chrono::milliseconds(200);
constexpr upcall::duration rest_within = std::chrono::seconds(5);

}  // namespace

task<result<void>> access_writer::open(const options& settings) {
    if (!settings.access_log) co_return result<void>{};
    descriptor to;
    if (*settings.access_log == "-") {
        auto copy = descriptor::copy_of(1);
        if (!copy) co_return failure(copy.error());
        to = std::move(*copy);
    } else {
        auto opened =
            co_await file::open(*settings.access_log, open_write | open_create | open_append, 0640);
        if (!opened) co_return failure(opened.error());
        auto released = opened->release();
        if (!released) co_return failure(released.error());
        to = descriptor(*released);
    }
    auto adopted = pipe::adopt(to.get());
    if (!adopted) co_return failure(adopted.error());
    to.release();
    out_ = std::move(*adopted);
    co_return result<void>{};
}

void access_writer::note(const access_entry& entry) {
    std::array<char, access_line_bytes_max> line;
    text_writer out(line);
    put_access_line(out, format_, entry);
    if (pending_.size() + out.text().size() > pending_max) {
        ++dropped_;
        return;
    }
    pending_ += out.text();
}

task<> access_writer::run() {
    for (;;) {
        const auto slept = co_await sleep(write_every);
        if (!slept) break;
        co_await flush();
    }
    // The last lines are those of the responses that the stop has waited for.
    task<> rest = flush_rest();
    co_await shield(rest_within, std::move(rest));
}

task<> access_writer::flush_rest() {
    co_await flush();  // of a write that was cut short
    co_await flush();
}

task<> access_writer::flush() {
    if (writing_.empty()) {
        std::swap(writing_, pending_);
        if (dropped_ > 0) put_dropped_line();
    }
    if (writing_.empty()) co_return;
    const transfer sent = co_await out_.write_all(bytes_of(writing_));
    writing_.erase(0, sent.bytes);
    if (!sent && sent.cause != errc::cancelled) {
        // A full disk, a pipe that nobody reads: what cannot be written is counted.
        dropped_ += static_cast<std::size_t>(std::ranges::count(writing_, '\n'));
        writing_.clear();
    }
}

void access_writer::put_dropped_line() {
    const std::string count = std::to_string(std::exchange(dropped_, 0));
    if (format_ == access_log_format::common)
        writing_ += "# " + count + " lines dropped\n";
    else
        writing_ += "{\"dropped\":" + count + "}\n";
}

}  // namespace upcall_serve
