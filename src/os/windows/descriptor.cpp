#include <upcall/os/descriptor.hpp>

#include <winsock2.h>

namespace upcall {

void descriptor::close_native(std::intptr_t native) noexcept {
    // Sockets have a close of their own, which says so when it is given anything else.
    if (::closesocket(static_cast<SOCKET>(native)) != 0 && ::WSAGetLastError() == WSAENOTSOCK)
        ::CloseHandle(reinterpret_cast<HANDLE>(native));
}

result<descriptor> descriptor::copy_of(std::intptr_t) noexcept {
    return failure(errc::unsupported);
}

}  // namespace upcall
