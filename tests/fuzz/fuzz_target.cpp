// Any target: what is decoded never leads out of the root, and survives being written and
// decoded again.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "serve/escape.hpp"
#include "serve/target.hpp"
#include "serve/utf8.hpp"

namespace {

using namespace upcall_serve;

void check_path(std::string_view path, const path_rules& rules) {
    FUZZ_CHECK(!path.empty());
    FUZZ_CHECK(path.data()[path.size()] == '\0');
    FUZZ_CHECK(is_utf8(path));
    if (path == ".") return;
    std::string_view rest = path;
    bool first = true;
    for (;;) {
        const std::size_t slash = rest.find('/');
        const std::string_view segment = rest.substr(0, slash);
        FUZZ_CHECK(!segment.empty() && segment != "." && segment != "..");
        FUZZ_CHECK(rules.dotfiles || segment[0] != '.' || (first && segment == ".well-known"));
        for (char c : segment)
            FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\');
        if (slash == std::string_view::npos) return;
        rest.remove_prefix(slash + 1);
        first = false;
    }
}

void check_target(std::string_view target, const path_rules& rules) {
    std::vector<char> out(decoded_target_bytes(target.size()));
    const auto result = decode_target(target, out, rules);
    if (!result) {
        FUZZ_CHECK(result.error().status == 400 || result.error().status == 404);
        return;
    }
    check_path(result->path, rules);
    FUZZ_CHECK(result->path.size() <= target.size());
    FUZZ_CHECK(result->query.empty() || target.ends_with(result->query));
    if (result->path == ".") return;

    // Written anew, it is the same place.
    std::vector<char> written(result->path.size() * 3 + 2);
    text_writer again(written);
    again.put('/');
    put_url_path(again, result->path);
    if (result->directory) again.put('/');
    FUZZ_CHECK(again.fits());
    std::vector<char> second(decoded_target_bytes(again.text().size()));
    const auto twice = decode_target(again.text(), second, rules);
    FUZZ_CHECK(twice && twice->path == result->path && twice->directory == result->directory);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string target = "/";
    target.append(reinterpret_cast<const char*>(data), size);
    for (const bool dotfiles : {false, true})
        for (const bool windows : {false, true})
            check_target(target, {.dotfiles = dotfiles, .windows_names = windows});
    return 0;
}
