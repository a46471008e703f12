// Tries the interfaces other than io_uring, each with the smallest exchange that shows it at work.
// Allocates nothing and calls nothing but the kernel (see trial_ring).
#pragma once

#include "driver/host/linux/raw_report.hpp"

namespace upcall::host_probe {

call_result try_epoll() noexcept;
call_result try_poll() noexcept;
call_result try_select() noexcept;
call_result try_sigio() noexcept;
call_result try_linux_aio() noexcept;
call_result try_posix_aio() noexcept;

}  // namespace upcall::host_probe
