#include <upcall/base/error.hpp>

#include <string>

#include <upcall/base/result.hpp>

#ifdef _WIN32
#include "base/windows/errno_category.hpp"
#endif

namespace upcall {
namespace {

const char* text(errc code) noexcept {
    switch (code) {
        case errc::cancelled:
            return "cancelled before anything happened";
        case errc::deadline_exceeded:
            return "deadline exceeded before anything happened";
        case errc::end_of_stream:
            return "end of stream";
        case errc::unexpected_end:
            return "end of stream inside a message";
        case errc::interrupted:
            return "interrupted with unknown progress; the handle can only be closed";
        case errc::closed:
            return "the handle is closed";
        case errc::queue_full:
            return "the queue of waiting operations is full";
        case errc::broken_stream:
            return "an earlier write on this stream was cut short";
        case errc::unsupported:
            return "not supported by the interface in use";
        case errc::no_loop:
            return "no loop runs on this thread";
        case errc::wrong_loop:
            return "the object belongs to another loop";
        case errc::would_deadlock:
            return "waiting here would block the loop that is waited for";
        case errc::shutting_down:
            return "shutting down: no more work is taken";
        case errc::message_truncated:
            return "the message was longer than the buffer";
        case errc::abandoned:
            return "abandoned by the one who was to complete it";
        case errc::not_durable:
            return "an earlier sync of this file failed: nothing more is taken for durable";
        case errc::limit_exceeded:
            return "longer than the limit that was given";
    }
    return "unknown upcall error";
}

class category final : public std::error_category {
  public:
    const char* name() const noexcept override { return "upcall"; }
    std::string message(int value) const override { return text(static_cast<errc>(value)); }
};

}  // namespace

const std::error_category& upcall_category() noexcept {
    static const category instance;
    return instance;
}

bool is_cancellation(const std::error_code& code) noexcept {
    return code == errc::cancelled || code == errc::deadline_exceeded;
}

std::error_code error_from_errno(int error) noexcept {
#ifdef _WIN32
    return {error, category_of_errno(error)};
#else
    return {error, std::generic_category()};
#endif
}

std::error_code error_from_raw(std::int64_t raw) noexcept {
    if (raw < -errc_offset) return make_error_code(static_cast<errc>(-raw - errc_offset));
    return error_from_errno(static_cast<int>(-raw));
}

std::int64_t raw_error(const std::error_code& code) noexcept {
    if (code.category() == upcall_category()) return raw_error(static_cast<errc>(code.value()));
    return -code.value();
}

void throw_failure(std::error_code code, std::string_view tried, std::string_view of_what) {
    std::string words(tried);
    if (!of_what.empty()) words.append(" ").append(of_what);
    throw std::system_error(code, words);
}

}  // namespace upcall
