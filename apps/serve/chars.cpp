#include "serve/chars.hpp"

#include <cstring>

namespace upcall_serve {

bool list_has_token(std::string_view list, std::string_view token) {
    while (!list.empty())
        if (equals_lower(take_element(list), token)) return true;
    return false;
}

bool is_ascii(std::string_view text) {
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + i, 8);
        seen |= word;
    }
    for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
    return (seen & 0x8080808080808080u) == 0;
}

}  // namespace upcall_serve
