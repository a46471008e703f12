// Messages out of a byte stream: lines, parts up to a delimiter, parts of a known size.
//
//     buffered_reader from(peer);
//     auto line = co_await from.read_line(8192);           // without its end
//     auto body = co_await from.read_exactly(room);        // what was read ahead comes first
//
// Over anything with `receive`, `receive_more` and `read_exactly`, as streams and pipes have them.
// What lies whole in one received buffer is not copied, and a reader that waits for a new message
// holds no buffer. Each read is bounded by a limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <upcall/io/stream.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

namespace detail {

/// What was received and nobody has taken, in one piece: in the buffer that it came in, or, when a
/// message spans several, in a string.
class read_ahead {
  public:
    std::string_view unread() const noexcept {
        return chunk_ ? chunk_->text().substr(begin_) : std::string_view(text_).substr(begin_);
    }
    /// What was taken stays where it is until the next call but this.
    void take(std::size_t bytes) noexcept { begin_ += bytes; }

    void add(lease&& more);
    /// With nothing unread: gives back what memory there is.
    void let_go() noexcept;

  private:
    std::optional<lease> chunk_;
    std::string text_;
    std::size_t begin_ = 0;
};

/// Looks for the end of a part, and remembers how far it has looked.
class part_search {
  public:
    part_search(std::string_view delimiter, std::size_t limit) noexcept
        : delimiter_(delimiter), limit_(limit) {}

    enum class found { yes, not_yet, too_long };
    found look(std::string_view in) noexcept;
    /// The bytes before the delimiter.
    std::size_t size() const noexcept { return at_; }

  private:
    std::string_view delimiter_;
    std::size_t limit_;
    std::size_t at_ = 0;
};

/// The error of a stream that ended, by whether a message had begun.
std::error_code end_of_message(std::error_code why, bool begun) noexcept;

}  // namespace detail

/// Refers to the stream, which outlives it, and belongs to its loop. One read at a time. From the
/// first read on the stream is read through it alone: what it has read ahead is `buffered`.
template <class Stream>
class buffered_reader {
  public:
    explicit buffered_reader(Stream& from) noexcept : from_(&from) {}

    /// The bytes up to `delimiter`, which is taken, too, and not part of them. They stay where they
    /// are until the next call. Errors, all of which leave what was read to `buffered`:
    /// limit_exceeded, when `limit` bytes have come and the delimiter does not follow;
    /// end_of_stream when the stream ends and nothing is left, unexpected_end when the delimiter is
    /// missing; invalid_argument for an empty delimiter; those of `receive`, and after a
    /// cancellation the read can be repeated. It waits for the first byte as for new work (`stop`
    /// ends that) and then for the rest. Throws std::bad_alloc, and then what came last is gone.
    /// `delimiter` must live until the end.
    task<result<std::string_view>> read_until(std::string_view delimiter, std::size_t limit) {
        if (delimiter.empty()) co_return failure(std::errc::invalid_argument);
        detail::part_search search(delimiter, limit);
        for (;;) {
            const std::string_view unread = ahead_.unread();
            const auto found = search.look(unread);
            if (found == detail::part_search::found::too_long)
                co_return failure(errc::limit_exceeded);
            if (found == detail::part_search::found::yes) {
                ahead_.take(search.size() + delimiter.size());
                co_return unread.substr(0, search.size());
            }
            const bool begun = !unread.empty();
            if (!begun) ahead_.let_go();
            auto waiting = begun ? from_->receive_more() : from_->receive();
            auto more = co_await std::move(waiting);
            if (!more) co_return failure(detail::end_of_message(more.error(), begun));
            ahead_.add(std::move(*more));
        }
    }

    /// As read_until("\n", limit); a carriage return before the end is no part of the line either,
    /// but counts towards the limit.
    task<result<std::string_view>> read_line(std::size_t limit) {
        auto line = co_await read_until("\n", limit);
        if (line && line->ends_with('\r')) line->remove_suffix(1);
        co_return line;
    }

    /// Fills `room`. Causes: end_of_stream when the stream ends before the first byte,
    /// unexpected_end in the middle; those of the stream's read_exactly. The bytes told of are in
    /// `room`.
    task<transfer> read_exactly(byte_span room) {
        const std::size_t held = std::min(room.size(), ahead_.unread().size());
        std::copy_n(ahead_.unread().begin(), held, reinterpret_cast<char*>(room.data()));
        ahead_.take(held);
        if (held == room.size()) co_return transfer{held, {}};
        ahead_.let_go();
        const transfer rest = co_await from_->read_exactly(room.subspan(held));
        co_return transfer{held + rest.bytes, detail::end_of_message(rest.cause, held > 0)};
    }

    /// What was received and not taken, until the next call.
    std::string_view buffered() const noexcept { return ahead_.unread(); }

  private:
    Stream* from_;
    detail::read_ahead ahead_;
};

}  // namespace upcall
