#include <upcall/driver/select.hpp>

#include <cstdlib>

#if __has_include("driver/uring/factory.hpp") && defined(__linux__)
#define UPCALL_HAS_URING 1
#include "driver/uring/factory.hpp"
#endif
#if __has_include("driver/readiness/factory.hpp") && !defined(_WIN32)
#define UPCALL_HAS_READINESS 1
#include "driver/readiness/factory.hpp"
#endif
#if __has_include("driver/blocking/factory.hpp") && !defined(_WIN32)
#define UPCALL_HAS_BLOCKING 1
#include "driver/blocking/factory.hpp"
#endif
#if __has_include("driver/iocp/factory.hpp") && defined(_WIN32)
#define UPCALL_HAS_IOCP 1
#include "driver/iocp/factory.hpp"
#endif

namespace upcall {
namespace {

/// One entry of the table of drivers: makes it, or says why not.
struct entry {
    const char* name;
    /// Whether it may be chosen without being named.
    bool automatic;
    std::unique_ptr<driver> (*make)(const driver_choice&, const driver_environment&,
                                    std::error_code&, std::string& why);
};

constexpr entry table[] = {
#ifdef UPCALL_HAS_URING
    {"uring", true,
     [](const driver_choice& choice, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_uring_driver(lent, choice.uring, error, why); }},
#endif
#ifdef UPCALL_HAS_READINESS
    {"epoll", true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_epoll_driver(lent, error, why); }},
    {"poll", true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_poll_driver(lent, error, why); }},
    {"select", true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_select_driver(lent, error, why); }},
#endif
#ifdef UPCALL_HAS_BLOCKING
    {"blocking", false,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_blocking_driver(lent, error, why); }},
#endif
#ifdef UPCALL_HAS_IOCP
    {"iocp", true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) {
         auto made = make_iocp_driver(lent, error);
         if (!made) why = error.message();
         return made;
     }},
#endif
};

std::string chosen_name(const driver_choice& choice) {
    if (!choice.name.empty() && choice.name != "auto") return choice.name;
    const char* named = std::getenv("UPCALL_DRIVER");
    return named && std::string_view(named) != "auto" ? named : "";
}

}  // namespace

std::string selection_report::to_string() const {
    std::string text = chosen.empty() ? "no driver" : chosen;
    const char* before = " (";
    for (const refusal& one : refused) {
        text += before + one.name + ": " + one.why;
        before = "; ";
    }
    if (!refused.empty()) text += ")";
    return text;
}

std::vector<std::string> driver_names() {
    std::vector<std::string> names;
    for (const entry& one : table) names.emplace_back(one.name);
    return names;
}

result<std::unique_ptr<driver>> make_driver(const driver_choice& choice,
                                            const driver_environment& lent,
                                            selection_report* report) {
    const std::string named = chosen_name(choice);
    std::error_code error = std::make_error_code(std::errc::invalid_argument);
    for (const entry& one : table) {
        if (named.empty() ? !one.automatic : named != one.name) continue;
        std::string why;
        std::unique_ptr<driver> made = one.make(choice, lent, error, why);
        if (made) {
            if (report) report->chosen = one.name;
            return made;
        }
        if (report) report->refused.push_back({one.name, why});
    }
    for (const char* elsewhere : {"uring", "epoll", "poll", "select", "blocking", "kqueue", "iocp"})
        if (named == elsewhere && error == std::errc::invalid_argument) error = errc::unsupported;
    return failure(error);
}

}  // namespace upcall
