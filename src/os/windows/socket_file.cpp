#include <upcall/os/socket_file.hpp>

namespace upcall {

result<bool> remove_stale_socket(const std::string&) noexcept { return false; }

socket_file::socket_file(std::string) noexcept {}

void socket_file::remove() noexcept {}

}  // namespace upcall
