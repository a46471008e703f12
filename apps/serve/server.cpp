#include "serve/server.hpp"

#include <upcall/os/affinity.hpp>
#include <upcall/os/descriptor.hpp>
#include <upcall/os/limits.hpp>
#include <upcall/os/privileges.hpp>
#include <upcall/upcall.hpp>

#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "serve/acceptor.hpp"
#include "serve/command_line.hpp"
#include "serve/listen_address.hpp"
#include "serve/loop_server.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

constexpr std::size_t descriptors_kept_back = 64;

// Sockets that listen, by loop. They are made before privileges are dropped and before any ring
// exists, and each loop takes its own.
struct listening {
    std::vector<std::vector<native_handle>> by_loop;
    std::vector<address> addresses;  // with the ports that were chosen
};

void say(const std::string& text) { std::fprintf(stderr, "upcall serve: %s\n", text.c_str()); }

// Listens on `where`, and notes in it the port that was chosen.
task<result<native_handle>> listen_on(address& where, const options& settings, bool shared) {
    if (where.family() == address_family::unix_path && !where.path().starts_with('@')) {
        // A socket file that an earlier server left; anything else stays, and bind says so.
        const std::string path(where.path());
        const auto seen = co_await status(path);
        if (seen && seen->type == file_type::socket) static_cast<void>(co_await remove_file(path));
    }
    auto listener = tcp::listener::bind(
        where, {.backlog = static_cast<int>(settings.backlog), .reuse_port = shared});
    if (!listener) co_return failure(listener.error());
    if (auto local = listener->local_address(); local) where = *local;
    co_return listener->release();
}

task<int> open_listeners(const options& settings, unsigned loops, listening& made) {
    made.by_loop.resize(loops);
    for (const address& asked : settings.listen) {
        address where = asked;
        const bool shareable = asked.family() != address_family::unix_path;
        for (unsigned index = 0; index < loops; ++index) {
            if (index > 0 && !shareable) {
                auto copy = descriptor::copy_of(made.by_loop[0].back());
                if (!copy) co_return 1;
                made.by_loop[index].push_back(copy->release());
                continue;
            }
            auto native = co_await listen_on(where, settings, shareable && loops > 1);
            if (!native) {
                say("cannot listen on " + asked.to_string() + ": " + native.error().message());
                co_return 1;
            }
            made.by_loop[index].push_back(*native);
        }
        made.addresses.push_back(where);
    }
    co_return 0;
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

task<> run_loop(server_state& state, const listening& listeners, unsigned index) {
    const options& settings = state.settings;
    auto root = co_await file::open(settings.directory, open_read | open_directory);
    if (!root) {
        say("cannot open " + settings.directory + ": " + root.error().message());
        throw std::system_error(root.error(), settings.directory);
    }
    loop_server server(state, *root,
                       make_server_lines(UPCALL_VERSION, loop::current()->via().name()));
    if (auto opened = co_await server.log.open(settings); !opened)
        say("no access log: " + opened.error().message());
    co_await with_scope([&](scope& services) -> task<> {
        if (server.log.enabled()) services.spawn_now(server.log.run(), "access log");
        co_await with_scope(
            [&](scope& connections) -> task<> {
                for (const native_handle native : listeners.by_loop[index]) {
                    auto listener = tcp::listener::adopt(native);
                    if (!listener) throw std::system_error(listener.error(), "listener");
                    connections.spawn_now(accept_all(server, std::move(*listener), connections),
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
    greeter(const options& settings, const listening& listeners, unsigned loops)
        : settings_(settings), listeners_(listeners), loops_(loops) {}

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
        for (const address& where : listeners_.addresses)
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
    const listening& listeners_;
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

}  // namespace

int run_server(const options& settings) {
    const unsigned loops = settings.loops > 0 ? settings.loops : usable_cores();
    std::random_device seed;
    server_state state{
        settings,
        loops,
        {},
        connection_cap(connections_max(settings), settings.connections_per_address_max,
                       (std::uint64_t{seed()} << 32) | seed())};
    if (!read_error_pages(settings, state.pages)) return 1;

    listening listeners;
    // No ring may exist before privileges are dropped, so this loop uses none.
    if (const int failed = run(open_listeners(settings, loops, listeners),
                               {.driver = {.name = "poll", .uring = {}},
                                .loop = {},
                                .handle_signals = false,
                                .chosen = {}}))
        return failed;
    if (!settings.user.empty()) {
        if (auto done = become_user(settings.user); !done) {
            say("cannot become " + settings.user + ": " + done.error().message());
            return 1;
        }
    }

    run_options running;
    running.driver.name = settings.driver;
    running.grace = settings.grace;
    greeter greeting(settings, listeners, loops);
    running.chosen = [&](unsigned index, const selection_report& chosen) {
        greeting.chosen(index, chosen);
    };
    return run_loops(
        loops, [&](unsigned index) { return run_loop(state, listeners, index); }, running);
}

int serve_main(std::span<const char* const> arguments) {
    auto settings = parse_command_line(arguments);
    if (!settings) {
        std::FILE* out = settings.error().code == 0 ? stdout : stderr;
        std::fputs(settings.error().text.c_str(), out);
        return settings.error().code;
    }
    return run_server(*settings);
}

}  // namespace upcall_serve
