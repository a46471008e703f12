// Lines of source for addresses, by addr2line of binutils, which is there where GCC is.
#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <map>

#include "model/checker/core.hpp"

namespace model {

std::string place(std::uintptr_t address) {
    static std::map<std::uintptr_t, std::string> known;
    if (const auto found = known.find(address); found != known.end()) return found->second;
    Dl_info info{};
    std::string text;
    if (dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_fbase) {
        const auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
        std::array<char, 512> line{};
        std::snprintf(line.data(), line.size(), "addr2line -ise %s %#zx 2>/dev/null",
                      "/proc/$PPID/exe", static_cast<std::size_t>(address - 1 - base));
        if (FILE* lines = popen(line.data(), "r")) {
            // The innermost lines are the standard library's own.
            while (std::fgets(line.data(), static_cast<int>(line.size()), lines)) {
                text = line.data();
                while (!text.empty() && (text.back() == '\n' || text.back() == ')'))
                    text.pop_back();
                if (const auto more = text.find(" (disc"); more != std::string::npos)
                    text.resize(more);
                if (text.find("atomic") == std::string::npos) break;
            }
            pclose(lines);
        }
    }
    if (text.empty()) text = "?";
    return known[address] = text;
}

}  // namespace model
