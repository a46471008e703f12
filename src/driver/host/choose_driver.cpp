#include <upcall/driver/host.hpp>

namespace upcall {

driver_advice choose_driver(const host& seen) {
    constexpr kernel_interface order[] = {kernel_interface::uring, kernel_interface::iocp,
                                          kernel_interface::epoll, kernel_interface::kqueue,
                                          kernel_interface::poll,  kernel_interface::select};
    driver_advice choice;
    for (const kernel_interface each : order) {
        const availability& found = seen[each];
        // What belongs to another system was never in question here.
        if (found.code == reason::not_on_this_system) continue;
        // There it is made of epoll, by a library.
        if (each == kernel_interface::kqueue && seen.system.kernel == "Linux") continue;
        const std::string name(name_of(each));
        choice.reasons.push_back(name + (found.available ? " is chosen: " : " is passed over: ") +
                                 found.why);
        if (found.available) {
            choice.name = name;
            return choice;
        }
    }
    choice.name = "blocking";
    choice.reasons.emplace_back(
        "blocking is chosen: one thread for each operation, since nothing better works here.");
    return choice;
}

}  // namespace upcall
