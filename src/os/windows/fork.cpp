#include <upcall/os/fork.hpp>

namespace upcall {

void in_forked_children(void (*)() noexcept) noexcept {}

}  // namespace upcall
