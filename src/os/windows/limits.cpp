#include <upcall/os/limits.hpp>

namespace upcall {

std::size_t raise_descriptor_limit() noexcept { return 1 << 24; }  // handles of one process

}  // namespace upcall
