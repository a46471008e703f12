#include "driver/readiness/factory.hpp"

#include <cerrno>

#include "driver/readiness/poll_poller.hpp"
#include "driver/readiness/readiness_driver.hpp"
#include "driver/readiness/select_poller.hpp"
#if defined(__linux__)
#include "driver/files/linux_aio.hpp"
#include "driver/files/posix_aio.hpp"
#include "driver/readiness/epoll_poller.hpp"
#include "driver/readiness/sigio_poller.hpp"
#endif
#ifdef UPCALL_HAS_KQUEUE
#include "driver/readiness/kqueue_poller.hpp"
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

std::unique_ptr<driver> make_poll_driver(const driver_environment& lent, std::error_code& error,
                                         std::string& why) {
    return make_over(std::make_unique<poll_poller>(), lent, error, why);
}

std::unique_ptr<driver> make_select_driver(const driver_environment& lent, std::error_code& error,
                                           std::string& why) {
    return make_over(std::make_unique<select_poller>(), lent, error, why);
}

#ifdef UPCALL_HAS_KQUEUE
std::unique_ptr<driver> make_kqueue_driver(const driver_environment& lent, std::error_code& error,
                                           std::string& why) {
    return make_over(std::make_unique<kqueue_poller>(), lent, error, why);
}
#endif

#if defined(__linux__)
std::unique_ptr<driver> make_epoll_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why) {
    return make_over(std::make_unique<epoll_poller>(), lent, error, why);
}

std::unique_ptr<driver> make_sigio_driver(const driver_environment& lent, std::error_code& error,
                                          std::string& why) {
    auto made = make_over(std::make_unique<sigio_poller>(), lent, error, why);
    if (!made) why = "a pipe could not be watched by a signal: " + error.message();
    return made;
}
#endif

// ---- file engines -------------------------------------------------------------------------------

#if defined(__linux__)
namespace {

constexpr std::string_view engines[] = {"linux_aio", "posix_aio", "posix_aio_thread",
                                        "posix_aio_suspend"};

std::unique_ptr<file_engine> make_engine(driver& owner, std::string_view name) {
    using notice = posix_aio_engine::notice;
    if (name == "linux_aio") return std::make_unique<linux_aio_engine>();
    if (name == "posix_aio_thread")
        return std::make_unique<posix_aio_engine>(owner, notice::thread);
    if (name == "posix_aio_suspend")
        return std::make_unique<posix_aio_engine>(owner, notice::suspend);
    return std::make_unique<posix_aio_engine>(owner, notice::signal);
}

std::string why_refused(std::string_view name, std::int64_t refused) {
    const bool is_linux_aio = name == "linux_aio";
    if (is_linux_aio && refused == -EAGAIN)
        return "io_setup: all requests of the host are taken (fs.aio-max-nr)";
    if (refused == -ENOTSUP)
        return "the C library's threads for it stayed behind in the parent process";
    return (is_linux_aio ? "io_setup: " : "the C library: ") + error_from_raw(refused).message();
}

}  // namespace

std::span<const std::string_view> file_engines_of_readiness() noexcept { return engines; }

std::string use_file_engine(driver& made, std::string_view engine) {
    const std::int64_t refused =
        static_cast<readiness_driver&>(made).use(make_engine(made, engine));
    return refused == 0 ? std::string{} : why_refused(engine, refused) + "; files go to the pool";
}
#else
std::span<const std::string_view> file_engines_of_readiness() noexcept { return {}; }

std::string use_file_engine(driver&, std::string_view) { return "not on this platform"; }
#endif

}  // namespace upcall
