#include <upcall/os/standard_descriptors.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace upcall {

void fill_standard_descriptors() noexcept {
    for (int opened = 0; opened >= 0 && opened <= STDERR_FILENO;) {
        opened = ::open("/dev/null", O_RDWR);  // the lowest number that is free
        if (opened > STDERR_FILENO) ::close(opened);
    }
}

}  // namespace upcall
