#include "serve/server.hpp"

#include <upcall/os/affinity.hpp>
#include <upcall/os/descriptor.hpp>
#include <upcall/os/limits.hpp>
#include <upcall/os/privileges.hpp>
#include <upcall/upcall.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "serve/acceptor.hpp"
#include "serve/command_line.hpp"
#include "serve/opening.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

constexpr std::size_t descriptors_kept_back = 64;

// A connection's exception ends that connection alone.
void connection_failed(const char* name, const std::exception_ptr& why) noexcept {
    try {
        std::rethrow_exception(why);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "upcall serve: a task \"%s\" failed: %s\n", name, thrown.what());
    } catch (...) {
        std::fprintf(stderr, "upcall serve: a task \"%s\" failed\n", name);
    }
}

std::expected<std::string, std::error_code> content_of(const std::string& name) {
    auto last_error = [] {
        return std::unexpected(std::error_code(errno, std::generic_category()));
    };
    std::FILE* const source = std::fopen(name.c_str(), "rb");
    if (!source) return last_error();
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> closing(source, std::fclose);
    std::string content;
    char buffer[4096];
    while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, source))
        content.append(buffer, got);
    if (std::ferror(source)) return last_error();  // a directory can be opened, but not read
    return content;
}

bool read_error_pages(const options& settings, error_pages& pages) {
    for (const auto& [status, name] : settings.error_pages) {
        auto html = content_of(name);
        if (!html) {
            say("cannot read the page for " + std::to_string(status) + " '" + name +
                "': " + html.error().message());
            return false;
        }
        pages.replace(status, std::move(*html));
    }
    return true;
}

std::size_t connections_max(const options& settings) {
    const std::size_t descriptors = raise_descriptor_limit();
    // Each may have a file open.
    const std::size_t possible =
        (descriptors - std::min(descriptors_kept_back, descriptors / 4)) / 2;
    if (settings.connections_max == 0) return possible;
    return std::min(settings.connections_max, possible);
}

}  // namespace

task<> serve_on_loop(server_state& state, loop_share own) {
    loop_server server(state, own.root,
                       state.settings.identity
                           ? make_server_lines(UPCALL_VERSION, loop::current()->via().name())
                           : std::string(common_lines));
    if (own.log) {
        auto opened = server.log.open(std::move(own.log));
        if (!opened) throw std::system_error(opened.error(), "access log");
    }
    if (own.log_file) server.log.open(std::move(own.log_file));
    co_await with_scope([&](scope& services) -> task<> {
        if (server.log.enabled()) {
            services.spawn_now(server.log.run(), "access log");
            services.spawn_now(server.log.heed_hangups(), "SIGHUP");
        }
        co_await with_scope(
            [&](scope& connections) -> task<> {
                for (tcp::listener& each : own.listeners)
                    connections.spawn_now(accept_all(server, std::move(each), connections),
                                          "accept");
                co_return;
            },
            {.policy = on_failure::supervise, .limit = 0, .failed = connection_failed});
        services.cancel();
    });
}

int run_server(const options& settings) {
#ifdef SIGHUP
    // Who has an access log watches for it, and before and after that it must do no harm.
    static_cast<void>(std::signal(SIGHUP, SIG_IGN));
#endif
#ifdef _WIN32
    const unsigned loops = 1;  // no two sockets listen on one address there
    if (settings.loops > 1) say("--loops is 1 on Windows");
#else
    const unsigned loops = settings.loops > 0 ? settings.loops : usable_cores();
#endif
    std::random_device seed;
    server_state state{
        settings,
        loops,
        {},
        connection_cap(connections_max(settings), settings.connections_per_address_max,
                       (std::uint64_t{seed()} << 32) | seed())};
    if (!read_error_pages(settings, state.pages)) return 1;

    run_options running;
    running.driver.name = settings.driver;
    running.driver.uring.hardened = settings.hardened;
    running.grace = settings.grace;
    return open_and_serve(state, running);
}

int serve_main(std::span<const char* const> arguments) {
    auto settings = parse_command_line(arguments);
    if (!settings) {
        std::FILE* out = settings.error().code == 0 ? stdout : stderr;
        std::fputs(settings.error().text.c_str(), out);
        return settings.error().code;
    }
    if (const auto wrong = problem_with_environment(*settings)) {
        std::fputs(wrong->text.c_str(), stderr);
        return wrong->code;
    }
#ifdef SIGXFSZ
    // A log at its size limit is an error of its write, which is counted there.
    std::signal(SIGXFSZ, SIG_IGN);
#endif
    return run_server(*settings);
}

}  // namespace upcall_serve
