#include "serve/conditions.hpp"

#include <optional>

#include "serve/etag.hpp"
#include "serve/http_date.hpp"

namespace upcall_serve {

namespace {

// The lines of a list field are one list. It matches where one line does and all can be read.
bool any_line_matches(const request& from, field name, std::string_view tag, etag_comparison how) {
    bool found = false;
    bool readable = true;
    from.for_each(name, [&](std::string_view line) {
        const etag_match match = match_etag(line, tag, how);
        found = found || match == etag_match::found;
        readable = readable && match != etag_match::malformed;
    });
    return found && readable;
}

std::optional<std::int64_t> date_of(const request& from, field name, std::int64_t now) {
    const std::string_view text = from.single(name);
    return text.empty() ? std::nullopt : parse_http_date(text, now);
}

}  // namespace

precondition check_preconditions(const request& from, const validators& current, std::int64_t now) {
    if (from.has(field::if_match)) {
        if (!any_line_matches(from, field::if_match, current.etag, etag_comparison::strong))
            return precondition::failed;
    } else if (const auto date = date_of(from, field::if_unmodified_since, now)) {
        if (current.modified > *date) return precondition::failed;
    }
    if (from.has(field::if_none_match)) {
        if (any_line_matches(from, field::if_none_match, current.etag, etag_comparison::weak))
            return precondition::not_modified;
    } else if (const auto date = date_of(from, field::if_modified_since, now)) {
        if (current.modified <= *date) return precondition::not_modified;
    }
    return precondition::met;
}

precondition check_preconditions(const request& from) {
    if (from.has(field::if_match) &&
        !any_line_matches(from, field::if_match, {}, etag_comparison::strong))
        return precondition::failed;
    if (from.has(field::if_none_match) &&
        any_line_matches(from, field::if_none_match, {}, etag_comparison::weak))
        return precondition::not_modified;
    return precondition::met;
}

bool range_is_wanted(const request& from, const validators& current, std::int64_t now) {
    if (from.is_head() || from.single(field::range).empty()) return false;
    if (!from.has(field::if_range)) return true;
    std::string_view condition = from.single(field::if_range);
    if (condition.empty()) return false;
    if (condition.find('"') != std::string_view::npos) {
        const auto tag = take_etag(condition);
        return tag && condition.empty() && !tag->weak && tag->quoted == current.etag;
    }
    // A date is a strong validator only if the file did not change again in its second
    // (section 8.8.2.2), and it must be the very one that was sent.
    const auto date = parse_http_date(condition, now);
    return date && *date == current.modified && current.modified < now;
}

}  // namespace upcall_serve
