#include "serve/etag.hpp"

#include <charconv>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

// The finisher of MurmurHash3: a bijection in which every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

}  // namespace

etag etag::of_file(std::int64_t modified_ns, std::uint64_t bytes, std::uint64_t inode) {
    const std::uint64_t mixed = mix(mix(inode) ^ static_cast<std::uint64_t>(modified_ns));
    etag made;
    char* at = made.text_.data();
    char* const end = at + made.text_.size();
    *at++ = '"';
    for (int shift = 60; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[mixed >> shift & 15];
    *at++ = '-';
    at = std::to_chars(at, end, bytes, 16).ptr;
    *at++ = '"';
    made.bytes_ = static_cast<std::uint8_t>(at - made.text_.data());
    return made;
}

std::optional<sent_etag> take_etag(std::string_view& list) {
    const std::size_t start = list.find_first_not_of(" \t,");
    list.remove_prefix(start == std::string_view::npos ? list.size() : start);
    std::string_view rest = list;
    sent_etag tag;
    if (rest.starts_with("W/")) {
        tag.weak = true;
        rest.remove_prefix(2);
    }
    if (!rest.starts_with('"')) return std::nullopt;
    const std::size_t close = rest.find('"', 1);
    if (close == std::string_view::npos) return std::nullopt;
    tag.quoted = rest.substr(0, close + 1);
    for (char c : tag.quoted)
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return std::nullopt;
    rest = trim_blanks(rest.substr(close + 1));
    if (!rest.empty() && rest[0] != ',') return std::nullopt;
    list = rest;
    return tag;
}

etag_match match_etag(std::string_view list, std::string_view tag, etag_comparison how) {
    if (trim_blanks(list) == "*") return etag_match::found;
    bool found = false;
    while (const auto sent = take_etag(list))
        found = found || (sent->quoted == tag && (how == etag_comparison::weak || !sent->weak));
    if (!list.empty()) return etag_match::malformed;
    return found ? etag_match::found : etag_match::none;
}

}  // namespace upcall_serve
