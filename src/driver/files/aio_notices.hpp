// How the notices of POSIX AIO find their driver, whichever thread they arrive on.
//
// A notice is only a hint that a request may have ended: it can come on a thread of the C library,
// in a signal handler of any thread, in another loop that read the signal, and long after the
// request it is about was answered. So it carries a number, not an address, and marks one bit.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace upcall {

class driver;

class aio_notices {
  public:
    /// Requests that can be told apart.
    static constexpr unsigned places = 64;

    aio_notices() = default;
    aio_notices(const aio_notices&) = delete;
    aio_notices& operator=(const aio_notices&) = delete;
    /// Waits until nobody is inside `arrived` on its behalf.
    ~aio_notices();

    /// Notices wake `told` from here on. 0, or -EAGAIN: no more drivers fit.
    std::int64_t open(driver& told) noexcept;

    /// What a notice about `place` carries.
    void* value_for(unsigned place) const noexcept;

    /// A notice arrived. Any thread, and signal handlers; it may be about a driver that is gone.
    static void arrived(void* value) noexcept;

    /// The same for who reads notices on the loop's own thread, and takes its own at once.
    void pass(void* value) noexcept;

    /// Calls `look(place)` for each notice since the last call.
    template <class Look>
    void take(Look&& look) noexcept {
        std::uint64_t marks = take_marks();
        for (; marks; marks &= marks - 1) look(static_cast<unsigned>(std::countr_zero(marks)));
    }

  private:
    std::uint64_t take_marks() noexcept;

    unsigned slot_ = 0;
    bool open_ = false;
};

}  // namespace upcall
