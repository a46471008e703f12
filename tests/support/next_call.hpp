// The C library's function behind one of a test that stands before it.
#pragma once

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdarg>

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

/// syscall(2), with room for all that a call may be given.
using system_call = long(long, long, long, long, long, long, long);

/// What it was given.
struct call_arguments {
    explicit call_arguments(std::va_list list) noexcept {
        for (long& one : at) one = va_arg(list, long);
    }
    long pass_to(next_call<system_call>& to, long number) const noexcept {
        return to(number, at[0], at[1], at[2], at[3], at[4], at[5]);
    }

    std::array<long, 6> at;
};

}  // namespace upcall::test
