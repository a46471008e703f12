#include <upcall/os/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace upcall {

void descriptor::close() noexcept {
    if (native_ != none) ::close(static_cast<int>(release()));
}

result<descriptor> descriptor::copy_of(std::intptr_t native) noexcept {
    const int copy = ::fcntl(static_cast<int>(native), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return failure({errno, std::generic_category()});
    return descriptor(copy);
}

}  // namespace upcall
