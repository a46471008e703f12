// Any Accept-Encoding: a coding that is chosen is there, and is accepted unless nothing is.
// Cutting the field into lines at its commas changes nothing.
#include <cstdint>
#include <string_view>

#include "check.hpp"
#include "serve/content_coding.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace upcall_serve;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    accepted_codings whole;
    whole.add(text);
    accepted_codings lines;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t comma = rest.find(',');
        lines.add(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    for (unsigned bits = 0; bits < 8; ++bits) {
        coding_set available;
        if (bits & 1) available.add(content_coding::gzip);
        if (bits & 2) available.add(content_coding::zstd);
        if (bits & 4) available.add(content_coding::br);
        const content_coding chosen = whole.choose(available);
        FUZZ_CHECK(chosen == lines.choose(available));
        FUZZ_CHECK(chosen == content_coding::identity ||
                   (available.has(chosen) && whole.takes(chosen)));
        for (content_coding other : all_codings)
            if (chosen == content_coding::identity && available.has(other))
                FUZZ_CHECK(!whole.takes(other) || whole.takes(content_coding::identity));
    }
    return 0;
}
