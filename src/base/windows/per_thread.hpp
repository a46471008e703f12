// One T per thread, destroyed when the thread ends, where `thread_local` cannot be used for that:
// GCC's emulation of it on Windows gives a thread's storage back before it runs the destructors of
// what is in there (emutls_destroy runs as a destructor of a pthread key, __cxa_thread_atexit's
// functions when the loader is told of the end).
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <new>

namespace upcall {

template <class T>
class per_thread {
  public:
    /// The calling thread's; null when it has made none, or is about to end.
    static T* get() noexcept { return static_cast<T*>(::FlsGetValue(slot())); }

    /// The same, made if there is none. Null without memory or fiber-local slots.
    static T* get_or_make() noexcept {
        if (T* mine = get()) return mine;
        T* made = new (std::nothrow) T;
        if (made && ::FlsSetValue(slot(), made)) return made;
        delete made;
        return nullptr;
    }

  private:
    // FLS_OUT_OF_INDEXES is no slot: there is never a value in it.
    static DWORD slot() noexcept {
        static const DWORD taken = ::FlsAlloc([](void* mine) { delete static_cast<T*>(mine); });
        return taken;
    }
};

}  // namespace upcall
