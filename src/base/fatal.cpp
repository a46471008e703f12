#include <upcall/base/fatal.hpp>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace upcall {

void fatal(const char* format, ...) noexcept {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    std::fprintf(stderr, "upcall: fatal: %s\n", message);
    std::abort();
}

}  // namespace upcall
