// Making the driver for Windows' I/O completion ports.
#pragma once

#include <memory>
#include <system_error>

#include <upcall/driver/driver.hpp>

namespace upcall {

/// A driver over a completion port of its own. Null, and `error` set, when the system refuses the
/// port or Winsock. See iocp/iocp_driver.hpp for what it does not do.
std::unique_ptr<driver> make_iocp_driver(const driver_environment& lent,
                                         std::error_code& error) noexcept;

}  // namespace upcall
