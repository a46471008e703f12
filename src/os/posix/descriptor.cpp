#include <upcall/os/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace upcall {

void descriptor::close_native(std::intptr_t native) noexcept { ::close(static_cast<int>(native)); }

result<descriptor> descriptor::copy_of(std::intptr_t native) noexcept {
    const int copy = ::fcntl(static_cast<int>(native), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return failure({errno, std::generic_category()});
    return descriptor(copy);
}

}  // namespace upcall
