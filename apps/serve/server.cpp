#include "serve/server.hpp"

#include <upcall/os/affinity.hpp>
#include <upcall/os/descriptor.hpp>
#include <upcall/os/limits.hpp>
#include <upcall/os/privileges.hpp>
#include <upcall/upcall.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <random>
#include <vector>

#include "serve/acceptor.hpp"
#include "serve/command_line.hpp"
#include "serve/listen_address.hpp"
#include "serve/listeners.hpp"
#include "serve/loop_server.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

constexpr std::size_t descriptors_kept_back = 64;

void say(const std::string& text) { std::fprintf(stderr, "upcall serve: %s\n", text.c_str()); }

// What a loop gets, opened before it is made: what cannot be opened is told once, and then nothing
// is served at all.
struct loop_share {
    std::vector<descriptor> listeners;
    descriptor root;
    descriptor log;  // none: no log is kept
};

using maybe_opened = std::expected<descriptor, std::string>;

std::string cannot_serve(const options& settings, const std::error_code& why) {
    return "cannot serve '" + settings.directory + "': " + why.message();
}

// Whether DIR is there, for who may not have the rights yet to open it. Blocks: a loop would have
// the pool do it, whose threads would keep what become_user takes away.
std::error_code look_at_root(const options& settings) {
    std::error_code why;
    const bool directory = std::filesystem::is_directory(settings.directory, why);
    if (!why && !directory) why = std::make_error_code(std::errc::not_a_directory);
    return why;
}

task<maybe_opened> open_root(const options& settings) {
    auto root = co_await file::open(settings.directory, open_read | open_directory);
    auto native = root ? root->release() : result<native_handle>(failure(root.error()));
    if (!native) co_return std::unexpected(cannot_serve(settings, native.error()));
    co_return descriptor(*native);
}

task<maybe_opened> open_log(const options& settings) {
    if (!settings.access_log) co_return descriptor();
    auto log = co_await open_access_log(*settings.access_log);
    if (!log)
        co_return std::unexpected("cannot write the access log '" + *settings.access_log +
                                  "': " + log.error().message());
    co_return std::move(*log);
}

// One for each loop.
std::expected<std::vector<descriptor>, std::string> copies_of(descriptor one, unsigned loops) {
    std::vector<descriptor> all;
    for (unsigned more = 1; more < loops && one; ++more) {
        auto copy = descriptor::copy_of(one.get());
        if (!copy) return std::unexpected("no descriptor: " + copy.error().message());
        all.push_back(std::move(*copy));
    }
    all.push_back(std::move(one));
    all.resize(loops);
    return all;
}

// Runs `opening` on a loop without a ring: none may exist before privileges are dropped.
template <class T>
std::expected<T, std::string> run_before_rings(task<std::expected<T, std::string>> opening) {
    std::expected<T, std::string> made = std::unexpected("");
    auto keep = [](auto what, auto& into) -> task<> { into = co_await std::move(what); };
    const int failed = run(keep(std::move(opening), made), {.driver = {.name = "poll", .uring = {}},
                                                            .loop = {},
                                                            .handle_signals = false,
                                                            .chosen = {}});
    if (failed) return std::unexpected("");
    return made;
}

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

// The object that owns what `from` did, on the current loop.
template <class Owner>
Owner adopt(descriptor& from, const char* what) {
    auto made = Owner::adopt(from.get());
    if (!made) throw std::system_error(made.error(), what);
    from.release();
    return std::move(*made);
}

task<> run_loop(server_state& state, loop_share own) {
    const auto root = adopt<file>(own.root, "DIR");
    loop_server server(state, root,
                       state.settings.identity
                           ? make_server_lines(UPCALL_VERSION, loop::current()->via().name())
                           : std::string(common_lines));
    if (own.log) {
        auto opened = server.log.open(std::move(own.log));
        if (!opened) throw std::system_error(opened.error(), "access log");
    }
    co_await with_scope([&](scope& services) -> task<> {
        if (server.log.enabled()) {
            services.spawn_now(server.log.run(), "access log");
            services.spawn_now(server.log.heed_hangups(), "SIGHUP");
        }
        co_await with_scope(
            [&](scope& connections) -> task<> {
                for (descriptor& each : own.listeners) {
                    auto listener = adopt<tcp::listener>(each, "listener");
                    connections.spawn_now(accept_all(server, std::move(listener), connections),
                                          "accept");
                }
                co_return;
            },
            {.policy = on_failure::supervise, .limit = 0, .failed = connection_failed});
        services.cancel();
    });
}

// Says which driver serves. The first loop speaks for all; only those with another one are told of
// separately.
class greeter {
  public:
    greeter(const options& settings, const std::vector<address>& places, unsigned loops)
        : settings_(settings), places_(places), loops_(loops) {}

    void chosen(unsigned index, const selection_report& report) {
        if (index == 0) {
            first_ = report.chosen;
            greet(report);
            for (const auto& [earlier, early] : early_) tell_of(earlier, early);
        } else if (first_.empty()) {
            early_.emplace_back(index, report);
        } else {
            tell_of(index, report);
        }
    }

  private:
    void greet(const selection_report& report) const {
        for (const address& where : places_)
            std::fprintf(stdout, "serving %s at %s\n", settings_.directory.c_str(),
                         url_of(where).c_str());
        std::fprintf(stdout, "on %s, %u loop%s. Stop with Ctrl-C.\n", report.to_string().c_str(),
                     loops_, loops_ == 1 ? "" : "s");
        std::fflush(stdout);
    }
    void tell_of(unsigned index, const selection_report& report) const {
        if (report.chosen == first_) return;
        say("loop " + std::to_string(index + 1) + " of " + std::to_string(loops_) + " is on " +
            report.to_string());
    }

    const options& settings_;
    const std::vector<address>& places_;
    unsigned loops_;
    std::string first_;
    std::vector<std::pair<unsigned, selection_report>> early_;
};

bool read_error_pages(const options& settings, error_pages& pages) {
    for (const auto& [status, name] : settings.error_pages) {
        std::FILE* source = std::fopen(name.c_str(), "rb");
        if (!source) {
            say("cannot read the page for " + std::to_string(status) + ": " + name);
            return false;
        }
        std::string html;
        char buffer[4096];
        while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, source))
            html.append(buffer, got);
        std::fclose(source);
        pages.replace(status, std::move(html));
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

// Opens everything, gives up privileges and hands out a share for each loop. The error may be
// empty: then it was told.
std::expected<std::vector<loop_share>, std::string> open_all(server_state& state,
                                                             std::vector<address>& places) {
    const options& settings = state.settings;
    if (const std::error_code why = look_at_root(settings))
        return std::unexpected(cannot_serve(settings, why));
    auto listening = run_before_rings(open_listeners(settings, state.loops, state.sockets));
    if (!listening) return std::unexpected(listening.error());
    places = std::move(listening->addresses);
    if (!settings.user.empty()) {
        const auto done = become_user(settings.user);
        if (!done && done.error() == std::errc::invalid_argument)
            return std::unexpected("no such user: " + settings.user);
        if (!done)
            return std::unexpected("cannot become " + settings.user + ": " +
                                   done.error().message());
    }
    // As the user that serves, who may be allowed less.
    auto root = run_before_rings(open_root(settings));
    if (!root) return std::unexpected(root.error());
    auto log = run_before_rings(open_log(settings));
    if (!log) return std::unexpected(log.error());
    auto roots = copies_of(std::move(*root), state.loops);
    if (!roots) return std::unexpected(roots.error());
    auto logs = copies_of(std::move(*log), state.loops);
    if (!logs) return std::unexpected(logs.error());
    std::vector<loop_share> shares(state.loops);
    for (std::size_t at = 0; at < shares.size(); ++at)
        shares[at] = {std::move(listening->by_loop[at]), std::move((*roots)[at]),
                      std::move((*logs)[at])};
    return shares;
}

}  // namespace

int run_server(const options& settings) {
#ifdef SIGHUP
    // Who has an access log watches for it, and before and after that it must do no harm.
    static_cast<void>(std::signal(SIGHUP, SIG_IGN));
#endif
    const unsigned loops = settings.loops > 0 ? settings.loops : usable_cores();
    std::random_device seed;
    server_state state{
        settings,
        loops,
        {},
        connection_cap(connections_max(settings), settings.connections_per_address_max,
                       (std::uint64_t{seed()} << 32) | seed())};
    if (!read_error_pages(settings, state.pages)) return 1;

    std::vector<address> places;
    auto shares = open_all(state, places);
    if (!shares) {
        if (!shares.error().empty()) say(shares.error());
        return 1;
    }
    run_options running;
    running.driver.name = settings.driver;
    running.grace = settings.grace;
    greeter greeting(settings, places, loops);
    running.chosen = [&](unsigned index, const selection_report& chosen) {
        greeting.chosen(index, chosen);
    };
    return run_loops(
        loops, [&](unsigned index) { return run_loop(state, std::move((*shares)[index])); },
        running);
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
