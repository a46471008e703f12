// A driver to which others bring the news: threads that wait in its place, and that may not have
// had their turn on a processor since something arrived. Who is about to give up waiting has it
// look for itself.
//
//     if (auto* late = dynamic_cast<learns_late*>(&home.via())) late->look_again(receiving);
#pragma once

#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// A base of such a driver; found by dynamic_cast, and never owned by it.
class learns_late {
  public:
    /// Delivers what has arrived for `source`, which is in flight on this driver and stays so. The
    /// loop's thread. An end or an error is left to the completion.
    virtual void look_again(io_source& source) noexcept = 0;

  protected:
    ~learns_late() = default;
};

}  // namespace upcall
