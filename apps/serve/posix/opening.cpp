#include "serve/opening.hpp"

#include <upcall/os/privileges.hpp>

#include <expected>
#include <filesystem>

#include "serve/listeners.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

// What a loop gets, opened before it is made.
struct opened_share {
    std::vector<descriptor> listeners;
    descriptor root;
    descriptor log;
};

using maybe_opened = std::expected<descriptor, std::string>;

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

// The object that owns what `from` did, on the current loop.
template <class Owner>
Owner adopt(descriptor& from, const char* what) {
    auto made = Owner::adopt(from.get());
    if (!made) throw std::system_error(made.error(), what);
    from.release();
    return std::move(*made);
}

// Opens everything, gives up privileges and hands out a share for each loop. The error may be
// empty: then it was told.
std::expected<std::vector<opened_share>, std::string> open_all(server_state& state,
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
    std::vector<opened_share> shares(state.loops);
    for (std::size_t at = 0; at < shares.size(); ++at)
        shares[at] = {std::move(listening->by_loop[at]), std::move((*roots)[at]),
                      std::move((*logs)[at])};
    return shares;
}

task<> adopt_and_serve(server_state& state, opened_share own) {
    loop_share adopted;
    adopted.root = adopt<file>(own.root, "DIR");
    adopted.log = std::move(own.log);
    for (descriptor& each : own.listeners)
        adopted.listeners.push_back(adopt<tcp::listener>(each, "listener"));
    co_await serve_on_loop(state, std::move(adopted));
}

}  // namespace

int open_and_serve(server_state& state, run_options running) {
    std::vector<address> places;
    auto shares = open_all(state, places);
    if (!shares) {
        if (!shares.error().empty()) say(shares.error());
        return 1;
    }
    greeter greeting(state.settings, places, state.loops);
    running.chosen = [&](unsigned index, const selection_report& chosen) {
        greeting.chosen(index, chosen);
    };
    return run_loops(
        state.loops,
        [&](unsigned index) { return adopt_and_serve(state, std::move((*shares)[index])); },
        running);
}

}  // namespace upcall_serve
