// Making what a program holds (a stream, a socket, a listener) of a handle or of a native object.
// Whatever fails on the way, each thing keeps exactly one owner.
#pragma once

#include <new>
#include <utility>

#include <upcall/base/fatal.hpp>
#include <upcall/loop/loop.hpp>

namespace upcall::detail {

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
