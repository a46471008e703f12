// Which driver a loop runs on: the best that this host grants, or the one that was asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <upcall/driver/driver.hpp>
#include <upcall/driver/uring_options.hpp>

namespace upcall {

struct driver_choice {
    /// "uring", "epoll", "poll", "select", "sigio", "blocking", "iocp"; empty or "auto": what the
    /// environment variable UPCALL_DRIVER names, or the first that works of uring, epoll, poll,
    /// select and iocp. (The simulator is chosen in code, with make_sim_driver: see
    /// driver/sim_kernel.hpp.)
    std::string name{};
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

/// The names that `driver_choice` takes on this platform, in order of preference.
std::vector<std::string> driver_names();

}  // namespace upcall
