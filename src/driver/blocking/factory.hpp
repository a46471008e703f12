// How the blocking driver is made, without what it is made of.
#pragma once

#include <memory>
#include <string>

#include <upcall/driver/driver.hpp>

namespace upcall {

/// The driver belongs to the calling thread. Null when the host has no descriptor left, with the
/// error and a sentence. Throws std::bad_alloc.
std::unique_ptr<driver> make_blocking_driver(const driver_environment& lent, std::error_code& error,
                                             std::string& why);

}  // namespace upcall
