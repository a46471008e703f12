// Writes text into a buffer that its owner gives, and goes on counting when the buffer is full:
// the caller learns the size needed, and that what it has is not the whole.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace upcall_serve {

class text_writer {
  public:
    explicit text_writer(std::span<char> out) : out_(out) {}

    text_writer& put(std::string_view text) {
        if (wanted_ < out_.size() && !text.empty())
            std::memcpy(out_.data() + wanted_, text.data(),
                        std::min(text.size(), out_.size() - wanted_));
        wanted_ += text.size();
        return *this;
    }
    text_writer& put(char c) {
        if (wanted_ < out_.size()) out_[wanted_] = c;
        ++wanted_;
        return *this;
    }
    text_writer& put(std::integral auto number, int base = 10) {
        char digits[66];
        const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
        return put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
    }
    // At least two digits, as in dates.
    text_writer& put_two(int number) {
        if (number < 10) put('0');
        return put(number);
    }
    text_writer& put_hex(unsigned char byte, std::string_view digits = "0123456789abcdef") {
        return put(digits[byte >> 4]).put(digits[byte & 15]);
    }

    std::size_t wanted() const { return wanted_; }
    bool fits() const { return wanted_ <= out_.size(); }

    // What was written; cut short if it does not fit.
    std::string_view text() const { return {out_.data(), std::min(wanted_, out_.size())}; }

  private:
    std::span<char> out_;
    std::size_t wanted_ = 0;
};

}  // namespace upcall_serve
