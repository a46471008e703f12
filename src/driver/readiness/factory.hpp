// How the readiness drivers are made, without what they are made of.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <upcall/driver/driver.hpp>

namespace upcall {

/// The driver belongs to the calling thread. Null when the host refuses it, with the error and a
/// sentence that says what was refused. Throws std::bad_alloc.
std::unique_ptr<driver> make_poll_driver(const driver_environment& lent, std::error_code& error,
                                         std::string& why);
std::unique_ptr<driver> make_select_driver(const driver_environment& lent, std::error_code& error,
                                           std::string& why);
#if defined(__linux__)
std::unique_ptr<driver> make_epoll_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why);
std::unique_ptr<driver> make_sigio_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why);
#endif
#ifdef UPCALL_HAS_KQUEUE
std::unique_ptr<driver> make_kqueue_driver(const driver_environment& lent, std::error_code& error,
                                           std::string& why);
#endif

/// The file engines that the drivers above can use.
std::span<const std::string_view> file_engines_of_readiness() noexcept;

/// Lets a driver that one of the above has made give transfers of files to the engine of that name,
/// one of the list. Else they go to the pool, and what is returned says why. Throws std::bad_alloc.
std::string use_file_engine(driver& made, std::string_view engine);

}  // namespace upcall
