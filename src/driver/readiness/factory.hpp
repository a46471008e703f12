// How the readiness drivers are made, without what they are made of.
#pragma once

#include <memory>
#include <string>

#include <upcall/driver/driver.hpp>

namespace upcall {

/// The driver belongs to the calling thread. Null when the host refuses it, with the error and a
/// sentence that says what was refused. Throws std::bad_alloc.
std::unique_ptr<driver> make_epoll_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why);
std::unique_ptr<driver> make_poll_driver(const driver_environment& lent, std::error_code& error,
                                         std::string& why);
std::unique_ptr<driver> make_select_driver(const driver_environment& lent, std::error_code& error,
                                           std::string& why);
#if defined(__linux__)
std::unique_ptr<driver> make_sigio_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why);
#endif

}  // namespace upcall
