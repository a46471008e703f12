// Any Range field for any size of file: the ranges lie in the file, apart, and no more of them
// than there may be.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "check.hpp"
#include "serve/multipart.hpp"
#include "serve/range.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace upcall_serve;
    if (size < 8) return 0;
    std::uint64_t file_bytes;
    std::memcpy(&file_bytes, data, sizeof file_bytes);
    file_bytes >>= file_bytes & 63;  // small sizes as often as large ones
    const std::string_view value(reinterpret_cast<const char*>(data) + 8, size - 8);

    const range_set set = parse_range(value, file_bytes);
    const auto ranges = set.ranges();
    if (set.outcome() != range_outcome::partial) {
        FUZZ_CHECK(ranges.empty() || set.outcome() == range_outcome::whole);
        return 0;
    }
    FUZZ_CHECK(!ranges.empty() && ranges.size() <= ranges_max);
    std::uint64_t sum = 0;
    for (const byte_range& range : ranges) {
        FUZZ_CHECK(range.first <= range.last && range.last < file_bytes);
        sum += range.bytes();
        for (const byte_range& other : ranges)
            FUZZ_CHECK(&other == &range || other.first > range.last || range.first > other.last);
    }
    FUZZ_CHECK(sum <= file_bytes);

    const multipart parts("text/plain", file_bytes, {1, 2});
    char buffer[512];
    std::uint64_t body = 0;
    for (const byte_range& range : ranges) {
        text_writer head(buffer);
        parts.put_part_head(head, range);
        FUZZ_CHECK(head.fits());
        body += head.wanted() + range.bytes();
    }
    text_writer end(buffer);
    parts.put_end(end);
    FUZZ_CHECK(parts.body_bytes(ranges) == body + end.wanted());
    return 0;
}
