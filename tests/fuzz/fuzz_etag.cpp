// Any list of entity tags: reading it ends, and a list that is wholly readable matches a tag just
// when it holds it.
#include <cstdint>
#include <string_view>

#include "check.hpp"
#include "serve/chars.hpp"
#include "serve/etag.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace upcall_serve;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string_view rest = text;
    std::size_t before = rest.size() + 1;
    while (const auto tag = take_etag(rest)) {
        FUZZ_CHECK(rest.size() < before);
        before = rest.size();
        FUZZ_CHECK(tag->quoted.size() >= 2 && tag->quoted.front() == '"' &&
                   tag->quoted.back() == '"');
        FUZZ_CHECK(tag->quoted.find('"', 1) == tag->quoted.size() - 1);
        const etag_match weak = match_etag(text, tag->quoted, etag_comparison::weak);
        FUZZ_CHECK(weak != etag_match::none);
        if (!tag->weak) FUZZ_CHECK(match_etag(text, tag->quoted, etag_comparison::strong) == weak);
    }
    if (rest.empty() && trim_blanks(text) != "*")
        FUZZ_CHECK(match_etag(text, "\"\x7f\"", etag_comparison::weak) == etag_match::none);
    return 0;
}
