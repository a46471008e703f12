#include "sim/http_answer.hpp"

#include <algorithm>
#include <charconv>
#include <span>

namespace upcall_sim {

using namespace upcall;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::size_t head_max = 4096;
// What a slow reader takes at a time: never so little that it would be taken for one that has
// stopped.
constexpr std::size_t portion = 8'192;

/// Takes a number off the front.
bool take_number(std::string_view& text, std::uint64_t& into) {
    const auto got = std::from_chars(text.data(), text.data() + text.size(), into);
    if (got.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(got.ptr - text.data()));
    return true;
}

bool take_letter(std::string_view& text, char letter) {
    if (!text.starts_with(letter)) return false;
    text.remove_prefix(1);
    return true;
}

bool read_part(std::string_view text, answer_head& into) {
    constexpr std::string_view unit = "bytes ";
    if (!text.starts_with(unit)) return false;
    text.remove_prefix(unit.size());
    return take_number(text, into.first) && take_letter(text, '-') &&
           take_number(text, into.last) && take_letter(text, '/') &&
           take_number(text, into.total) && text.empty();
}

bool read_field(std::string_view name, std::string_view value, answer_head& into) {
    if (name == "Content-Length") return take_number(value, into.length) && value.empty();
    if (name == "Content-Range") return read_part(value, into);
    if (name == "Connection") into.closes = value == "close";
    if (name == "ETag") into.etag = value;
    return true;
}

}  // namespace

bool read_head(std::string_view text, answer_head& into) {
    constexpr std::string_view version = "HTTP/1.1 ";
    if (!text.starts_with(version)) return false;
    text.remove_prefix(version.size());
    std::uint64_t status = 0;
    if (!take_number(text, status)) return false;
    into = {};
    into.status = static_cast<int>(status);
    text.remove_prefix(std::min(text.find("\r\n"), text.size()));
    while (text.size() > head_end.size()) {
        text.remove_prefix(2);
        const auto line = text.substr(0, text.find("\r\n"));
        const auto colon = line.find(": ");
        if (colon == line.npos) return false;
        if (!read_field(line.substr(0, colon), line.substr(colon + 2), into)) return false;
        text.remove_prefix(line.size());
    }
    return true;
}

task<bool> answer_reader::hear() {
    loop& home = *loop::current();
    const time_point asked = home.now();
    if (slow_) {
        // Not by leases, of which many may be read ahead: then nothing is taken for long.
        const std::size_t before = heard_.size();
        heard_.resize(before + portion);
        const byte_span room = std::as_writable_bytes(std::span(heard_)).subspan(before);
        const auto got = co_await timeout(patience_, from_->read(room));
        heard_.resize(before + got.value_or(0));
        if (!got) end_ = got.error();
    } else {
        auto chunk = co_await timeout(patience_, from_->receive());
        if (chunk)
            heard_ += text_of(*chunk);
        else
            end_ = chunk.error();
    }
    longest_wait_ = std::max(longest_wait_, home.now() - asked);
    co_return !end_;
}

task<bool> answer_reader::head(answer_head& into) {
    std::size_t end = heard_.find(head_end);
    while (end == heard_.npos && heard_.size() < head_max) {
        const bool more = co_await hear();
        if (!more) co_return false;
        end = heard_.find(head_end);
    }
    if (end == heard_.npos) co_return false;
    const bool is_one = read_head(std::string_view(heard_).substr(0, end + head_end.size()), into);
    if (!is_one) co_return false;
    heard_.erase(0, end + head_end.size());
    inside_ = true;
    co_return true;
}

task<bool> answer_reader::body(std::uint64_t length, std::string& into) {
    while (heard_.size() < length) {
        if (slow_ && heard_.size() >= portion) co_await sleep(100ms);
        const bool more = co_await hear();
        if (!more) co_return false;
    }
    into = heard_.substr(0, length);
    heard_.erase(0, length);
    inside_ = false;
    co_return true;
}

}  // namespace upcall_sim
