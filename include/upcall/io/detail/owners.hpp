// What a program holds (a stream, a socket, a listener), and making it of a handle or of a native
// object.
// Whatever fails on the way, each thing keeps exactly one owner.
#pragma once

#include <new>
#include <utility>

#include <upcall/base/fatal.hpp>
#include <upcall/loop/loop.hpp>

namespace upcall::detail {

/// Owns a pinned core, which is abandoned with it. Empty when default-made, moved from or closed.
template <class Core>
class core_owner {
  public:
    core_owner() = default;
    core_owner(core_owner&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    core_owner& operator=(core_owner&& other) noexcept {
        if (this != &other) {
            close_now();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }
    ~core_owner() { close_now(); }

    /// Whether it is open, as far as this side is concerned.
    explicit operator bool() const noexcept { return core_ != nullptr; }

  protected:
    explicit core_owner(Core* core) noexcept : core_(core) {}
    void close_now() noexcept {
        if (core_) std::exchange(core_, nullptr)->abandon();
    }

    Core* core_ = nullptr;
};

/// An `Owner` of `opened`, which lives on `home`. Error: not_enough_memory; `opened` is as it was
/// then, and still its holder's to close.
template <class Owner>
result<Owner> make_owner(loop& home, handle& opened) {
    try {
        return Owner(home, std::move(opened));
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
}

/// Takes a native object of this process and makes an `Owner` of it on the current loop. On error
/// the caller still owns it. Errors: no_loop; not_enough_memory; those of the driver.
template <class Owner>
result<Owner> adopt_owner(native_handle native, handle_kind kind) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto opened = home->via().adopt(native, kind);
    if (!opened) return failure(opened.error());
    auto made = make_owner<Owner>(*home, *opened);
    if (!made) {
        const auto given_back = home->via().release(*opened);
        UPCALL_ASSERT(given_back);  // it refuses only while something is in flight
    }
    return made;
}

}  // namespace upcall::detail
