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
    /// Whether a file engine may follow its name.
    bool takes_engines;
    std::unique_ptr<driver> (*make)(const driver_choice&, const driver_environment&,
                                    std::error_code&, std::string& why);
};

constexpr entry table[] = {
#ifdef UPCALL_HAS_URING
    {"uring", true, false,
     [](const driver_choice& choice, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_uring_driver(lent, choice.uring, error, why); }},
#endif
#if defined(UPCALL_HAS_READINESS) && defined(__linux__)
    {"epoll", true, true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_epoll_driver(lent, error, why); }},
#endif
#if defined(UPCALL_HAS_KQUEUE) && !defined(__linux__)
    {"kqueue", true, false,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_kqueue_driver(lent, error, why); }},
#endif
#ifdef UPCALL_HAS_READINESS
    {"poll", true, true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_poll_driver(lent, error, why); }},
    {"select", true, true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_select_driver(lent, error, why); }},
#endif
#if defined(UPCALL_HAS_READINESS) && defined(__linux__)
    {"sigio", false, true,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_sigio_driver(lent, error, why); }},
#endif
#if defined(UPCALL_HAS_KQUEUE) && defined(__linux__)
    // By libkqueue, which stands on epoll: for trying what is meant for other systems.
    {"kqueue", false, false,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_kqueue_driver(lent, error, why); }},
#endif
#ifdef UPCALL_HAS_BLOCKING
    {"blocking", false, false,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) { return make_blocking_driver(lent, error, why); }},
#endif
#ifdef UPCALL_HAS_IOCP
    {"iocp", true, false,
     [](const driver_choice&, const driver_environment& lent, std::error_code& error,
        std::string& why) {
         auto made = make_iocp_driver(lent, error);
         if (!made) why = error.message();
         return made;
     }},
#endif
};

/// A driver that was asked for, and where that was said; no name for the best there is.
struct wish {
    std::string name;
    const char* said_in;
};

wish wish_of(const driver_choice& choice) {
    if (!choice.name.empty() && choice.name != "auto") return {choice.name, "driver_choice::name"};
    const char* named = std::getenv("UPCALL_DRIVER");
    if (!named || std::string_view(named) == "auto") return {"", ""};
    return {named, "the environment variable UPCALL_DRIVER"};
}

/// "epoll+linux_aio" in its two parts.
struct compound_name {
    std::string_view base;
    std::string_view engine;

    explicit compound_name(std::string_view whole) noexcept
        : base(whole.substr(0, whole.find('+'))) {
        if (base.size() < whole.size()) engine = whole.substr(base.size() + 1);
    }
};

bool is_file_engine(std::string_view name) noexcept {
#ifdef UPCALL_HAS_READINESS
    for (const std::string_view each : file_engines_of_readiness())
        if (each == name) return true;
#endif
    static_cast<void>(name);
    return false;
}

/// The name of `one`, if that takes all of what was asked for.
bool answers_to(const entry& one, std::string_view asked) noexcept {
    const compound_name parts(asked);
    if (parts.base != one.name) return false;
    return parts.base == asked || (one.takes_engines && is_file_engine(parts.engine));
}

void add_engine(driver& made, std::string_view asked, selection_report* report) {
#ifdef UPCALL_HAS_READINESS
    const compound_name parts(asked);
    if (parts.engine.empty()) return;
    std::string why = use_file_engine(made, parts.engine);
    if (!report) return;
    if (why.empty())
        report->chosen = asked;
    else
        report->refused.push_back({std::string(parts.engine), std::move(why)});
#else
    static_cast<void>(made), static_cast<void>(asked), static_cast<void>(report);
#endif
}

bool is_on_other_platforms(const std::string& name) {
    for (const char* known :
         {"uring", "epoll", "poll", "select", "sigio", "blocking", "kqueue", "iocp"})
        if (name == known) return true;
    return false;
}

/// Why no entry of the table has the name, where it came from, and what there is.
std::string explain(const wish& named) {
    std::string text = "no such driver";
    if (is_on_other_platforms(named.name)) text = "not on this platform";
    if (named.name == "kqueue") text += ", or built without libkqueue";
    if (named.name == "sim") text = "the simulator is chosen in code, by make_sim_driver";
    text += std::string("; ") + named.said_in + " names it, the choices are auto";
    for (const entry& one : table) text += std::string(", ") + one.name;
    if (named.name.contains('+')) text += "; file engines go after epoll, poll, select and sigio";
    return text;
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

std::vector<std::string> file_engine_names() {
    std::vector<std::string> names;
#ifdef UPCALL_HAS_READINESS
    for (const std::string_view each : file_engines_of_readiness()) names.emplace_back(each);
#endif
    return names;
}

bool is_driver_name(std::string_view name) {
    if (name == "auto") return true;
    for (const entry& one : table)
        if (answers_to(one, name)) return true;
    return false;
}

result<std::unique_ptr<driver>> make_driver(const driver_choice& choice,
                                            const driver_environment& lent,
                                            selection_report* report) {
    const wish asked = wish_of(choice);
    const std::string& named = asked.name;
    std::error_code error = std::make_error_code(std::errc::invalid_argument);
    bool known = named.empty();
    for (const entry& one : table) {
        if (named.empty() ? !one.automatic : !answers_to(one, named)) continue;
        known = true;
        std::string why;
        std::unique_ptr<driver> made = one.make(choice, lent, error, why);
        if (made) {
            if (report) report->chosen = one.name;
            add_engine(*made, named, report);
            return made;
        }
        if (report) report->refused.push_back({one.name, why});
    }
    if (!known && report) report->refused.push_back({named, explain(asked)});
    if (is_on_other_platforms(named) && error == std::errc::invalid_argument)
        error = errc::unsupported;
    return failure(error);
}

}  // namespace upcall
