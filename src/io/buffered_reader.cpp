#include <upcall/io/buffered_reader.hpp>

namespace upcall::detail {

void read_ahead::add(lease&& more) {
    if (unread().empty()) {
        text_.clear();
        chunk_.emplace(std::move(more));
    } else if (chunk_) {
        text_ = std::string(unread());
        text_ += more.text();
        chunk_.reset();
    } else {
        text_.erase(0, begin_);
        begin_ = 0;  // also when there is no memory for the rest
        text_ += more.text();
    }
    begin_ = 0;
}

void read_ahead::let_go() noexcept {
    chunk_.reset();
    std::string().swap(text_);
    begin_ = 0;
}

part_search::found part_search::look(std::string_view in) noexcept {
    const std::size_t at = in.find(delimiter_, at_);
    if (at != in.npos) {
        at_ = at;
        return at > limit_ ? found::too_long : found::yes;
    }
    // The delimiter may have begun at the end.
    if (in.size() >= delimiter_.size()) at_ = in.size() - delimiter_.size() + 1;
    return at_ > limit_ ? found::too_long : found::not_yet;
}

std::error_code end_of_message(std::error_code why, bool begun) noexcept {
    return begun && why == errc::end_of_stream ? make_error_code(errc::unexpected_end) : why;
}

}  // namespace upcall::detail
