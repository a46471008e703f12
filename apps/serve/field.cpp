#include "serve/field.hpp"

#include <cstddef>

namespace upcall_serve {

namespace {

// Setting bit 5 folds the case of letters and maps no other token character onto what is sought.
bool same(std::string_view name, std::string_view lower) {
    if ((name[0] | 0x20) != lower[0]) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < lower.size(); ++i)
        difference |= static_cast<unsigned>((name[i] | 0x20) ^ lower[i]);
    return difference == 0;
}

field if_same(std::string_view name, std::string_view lower, field then) {
    return same(name, lower) ? then : field::other;
}

}  // namespace

field field_named(std::string_view name) {
    switch (name.size()) {
        case 4:
            return if_same(name, "host", field::host);
        case 5:
            return if_same(name, "range", field::range);
        case 6:
            return if_same(name, "expect", field::expect);
        case 7:
            return if_same(name, "referer", field::referer);
        case 8:
            if (same(name, "if-range")) return field::if_range;
            return if_same(name, "if-match", field::if_match);
        case 10:
            if (same(name, "connection")) return field::connection;
            return if_same(name, "user-agent", field::user_agent);
        case 13:
            return if_same(name, "if-none-match", field::if_none_match);
        case 14:
            return if_same(name, "content-length", field::content_length);
        case 15:
            return if_same(name, "accept-encoding", field::accept_encoding);
        case 17:
            if (same(name, "if-modified-since")) return field::if_modified_since;
            return if_same(name, "transfer-encoding", field::transfer_encoding);
        case 19:
            return if_same(name, "if-unmodified-since", field::if_unmodified_since);
        default:
            return field::other;
    }
}

}  // namespace upcall_serve
