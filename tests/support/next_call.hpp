// The C library's function behind one of a test that stands before it.
#pragma once

#include <dlfcn.h>

#include <atomic>

namespace upcall::test {

/// Any thread, from the first call on. Declared constinit: the guard of a local static that is made
/// at run time waits by system calls, of which one may be the call that is being looked for.
template <class Function>
class next_call {
  public:
    explicit constexpr next_call(const char* name) noexcept : name_(name) {}

    template <class... Arguments>
    auto operator()(Arguments... arguments) noexcept {
        Function* found = found_.load(std::memory_order_acquire);
        if (!found) {
            found = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
            found_.store(found, std::memory_order_release);
        }
        return found(arguments...);
    }

  private:
    const char* name_;
    std::atomic<Function*> found_ = nullptr;
};

}  // namespace upcall::test
