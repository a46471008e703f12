#include <upcall/os/standard_descriptors.hpp>

namespace upcall {

void fill_standard_descriptors() noexcept {}

}  // namespace upcall
