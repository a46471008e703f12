#include "driver/host/words.hpp"

#include <cerrno>
#include <cstddef>

namespace upcall::host_probe {

std::string error_name(int error) {
    switch (error) {
        case 0:
            return "no error";
        case EACCES:
            return "EACCES";
        case EAGAIN:
            return "EAGAIN";
        case EBADF:
            return "EBADF";
        case EBUSY:
            return "EBUSY";
        case ECANCELED:
            return "ECANCELED";
        case EEXIST:
            return "EEXIST";
        case EFAULT:
            return "EFAULT";
        case EINTR:
            return "EINTR";
        case EINVAL:
            return "EINVAL";
        case EIO:
            return "EIO";
        case EMFILE:
            return "EMFILE";
        case ENFILE:
            return "ENFILE";
        case ENOBUFS:
            return "ENOBUFS";
        case ENODEV:
            return "ENODEV";
        case ENOENT:
            return "ENOENT";
        case ENOMEM:
            return "ENOMEM";
        case ENOSPC:
            return "ENOSPC";
        case ENOSYS:
            return "ENOSYS";
        case EOPNOTSUPP:
            return "EOPNOTSUPP";
        case EPERM:
            return "EPERM";
#ifdef ENXIO
        case ENXIO:
            return "ENXIO";
#endif
#ifdef ETIME
        case ETIME:
            return "ETIME";
#endif
        default:
            return "error " + std::to_string(error);
    }
}

std::string in_bytes(std::uint64_t amount) {
    static constexpr const char* units[] = {" bytes", " KiB", " MiB", " GiB", " TiB"};
    std::size_t unit = 0;
    while (amount != 0 && amount % 1024 == 0 && unit + 1 < sizeof units / sizeof units[0]) {
        amount /= 1024;
        ++unit;
    }
    return std::to_string(amount) + units[unit];
}

std::string in_words(const quantity& amount) {
    switch (amount.state) {
        case quantity::kind::known:
            return std::to_string(amount.value);
        case quantity::kind::unlimited:
            return "unlimited";
        case quantity::kind::unreadable:
            break;
    }
    return "unknown";
}

std::string bytes_in_words(const quantity& amount) {
    return amount.is_known() ? in_bytes(amount.value) : in_words(amount);
}

}  // namespace upcall::host_probe
