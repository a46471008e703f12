// How the io_uring driver is made, without what it is made of.
#pragma once

#include <memory>
#include <string>

#include <upcall/driver/driver.hpp>
#include <upcall/driver/uring_options.hpp>

namespace upcall {

/// A driver owned by the calling thread; or null, with the error and a sentence that says which
/// step the host refused.
std::unique_ptr<driver> make_uring_driver(const driver_environment& lent,
                                          const uring_options& options, std::error_code& error,
                                          std::string& why);

}  // namespace upcall
