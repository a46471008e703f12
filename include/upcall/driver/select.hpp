// Which driver a loop runs on: the best that this host grants, or the one that was asked for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <upcall/driver/driver.hpp>
#include <upcall/driver/uring_options.hpp>

namespace upcall {

/// Which driver is wanted, and with what options.
struct driver_choice {
    /// "uring", "epoll", "poll", "select", "sigio", "kqueue", "blocking", "iocp"; empty or "auto":
    /// what the environment variable UPCALL_DRIVER names, or the first that works of uring, epoll,
    /// kqueue (not by libkqueue, which has to be named), poll, select and iocp. (The simulator is
    /// chosen in code, with make_sim_driver: see driver/sim_kernel.hpp.)
    ///
    /// After epoll, poll, select and sigio may follow what reads and writes files in place of the
    /// pool: "epoll+linux_aio", "epoll+posix_aio", "epoll+posix_aio_thread",
    /// "epoll+posix_aio_suspend". Where the host refuses that, files go to the pool all the same,
    /// and the report says why.
    std::string name{};
    /// Where it is io_uring.
    uring_options uring{};
};

/// What was chosen, and why nothing better was.
struct selection_report {
    struct refusal {
        std::string name;
        /// What the host refused, in words a person can act on.
        std::string why;
    };
    std::string chosen;
    /// Drivers, and file engines, that were asked for in vain.
    std::vector<refusal> refused;

    /// "epoll (uring: io_uring_setup: Operation not permitted)".
    std::string to_string() const;
};

/// Makes a driver for the calling thread. With a name, that one or its error: a choice that was
/// made is not overruled. Errors: invalid_argument for a name that is not in the list above,
/// unsupported for one that this platform does not have; what the host said. In both cases the
/// report says where the name came from, and the choices.
result<std::unique_ptr<driver>> make_driver(const driver_choice& choice,
                                            const driver_environment& lent,
                                            selection_report* report = nullptr);

/// The names that `driver_choice` takes on this platform, in order of preference; without file
/// engines.
std::vector<std::string> driver_names();

/// The file engines that may follow the name of a readiness driver, after a '+'.
std::vector<std::string> file_engine_names();

/// Whether `driver_choice` takes this name on this platform: "auto", one of driver_names, or one of
/// them with a file engine.
bool is_driver_name(std::string_view name);

}  // namespace upcall
