#include "driver/readiness/factory.hpp"

#include "driver/readiness/epoll_poller.hpp"
#include "driver/readiness/poll_poller.hpp"
#include "driver/readiness/readiness_driver.hpp"
#include "driver/readiness/select_poller.hpp"
#if defined(__linux__)
#include "driver/readiness/sigio_poller.hpp"
#endif

namespace upcall {
namespace {

std::unique_ptr<driver> make_over(std::unique_ptr<poller> watcher, const driver_environment& lent,
                                  std::error_code& error, std::string& why) {
    const std::int64_t refused = watcher->open();
    if (refused == 0) return std::make_unique<readiness_driver>(lent, std::move(watcher));
    error = error_from_raw(refused);
    why = "its descriptors could not be opened: " + error.message();
    return nullptr;
}

}  // namespace

std::unique_ptr<driver> make_epoll_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why) {
    return make_over(std::make_unique<epoll_poller>(), lent, error, why);
}

std::unique_ptr<driver> make_poll_driver(const driver_environment& lent, std::error_code& error,
                                         std::string& why) {
    return make_over(std::make_unique<poll_poller>(), lent, error, why);
}

std::unique_ptr<driver> make_select_driver(const driver_environment& lent, std::error_code& error,
                                           std::string& why) {
    return make_over(std::make_unique<select_poller>(), lent, error, why);
}

#if defined(__linux__)
std::unique_ptr<driver> make_sigio_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why) {
    auto made = make_over(std::make_unique<sigio_poller>(), lent, error, why);
    if (!made) why = "a pipe could not be watched by a signal: " + error.message();
    return made;
}
#endif

}  // namespace upcall
