#include <upcall/os/affinity.hpp>

#include <thread>

namespace upcall {

unsigned usable_cores() noexcept {
    const unsigned count = std::thread::hardware_concurrency();
    return count > 0 ? count : 1;
}

bool pin_to_core(unsigned) noexcept { return false; }

}  // namespace upcall
