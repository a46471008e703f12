// An owned native descriptor that no loop works on: passed between processes, on its way between
// loops, or handed out by `release`. A file descriptor on POSIX, a SOCKET or HANDLE on Windows.
#pragma once

#include <cstdint>
#include <utility>

#include <upcall/base/result.hpp>

namespace upcall {

/// Move-only; closes what it owns when destroyed. May move between threads.
class descriptor {
  public:
    /// What `get` answers when it is empty.
    static constexpr std::intptr_t none = -1;

    /// What closes it in place of the system: the numbers of a simulated kernel name other things
    /// to that.
    struct closer {
        void (*close)(void* argument, std::intptr_t native) noexcept = nullptr;
        void* argument = nullptr;
    };

    /// Empty.
    descriptor() = default;
    /// Takes ownership.
    explicit descriptor(std::intptr_t owned) noexcept : native_(owned) {}
    descriptor(std::intptr_t owned, closer by) noexcept : native_(owned), closer_(by) {}
    descriptor(descriptor&& other) noexcept : native_(other.release()), closer_(other.closer_) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            close();
            native_ = other.release();
            closer_ = other.closer_;
        }
        return *this;
    }
    ~descriptor() { close(); }

    explicit operator bool() const noexcept { return native_ != none; }
    /// The native descriptor, still owned by this object.
    std::intptr_t get() const noexcept { return native_; }
    /// The native descriptor, which the caller now owns.
    std::intptr_t release() noexcept { return std::exchange(native_, none); }

    /// Closes now. What close(2) reports is not told; handles opened by a loop tell it.
    void close() noexcept {
        if (native_ == none) return;
        const std::intptr_t native = release();
        closer_.close ? closer_.close(closer_.argument, native) : close_native(native);
    }

    /// A second descriptor for what `native` names, not inherited by programs that are started:
    /// F_DUPFD_CLOEXEC of fcntl(2). `native` stays with its owner. Error: errc::unsupported on
    /// Windows.
    static result<descriptor> copy_of(std::intptr_t native) noexcept;

  private:
    static void close_native(std::intptr_t native) noexcept;

    std::intptr_t native_ = none;
    closer closer_;
};

}  // namespace upcall
