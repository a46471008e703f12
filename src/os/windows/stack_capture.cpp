#include <upcall/os/stack_capture.hpp>

namespace upcall {

thread_identity thread_identity::of_caller() noexcept { return {}; }

bool captured_stack::take(thread_identity, void (*)(void*) noexcept, void*) noexcept {
    return false;
}

std::string captured_stack::to_string() const { return {}; }

}  // namespace upcall
