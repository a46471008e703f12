#include <upcall/os/broken_pipe.hpp>

namespace upcall {

void ignore_broken_pipe_signal() noexcept {}

}  // namespace upcall
