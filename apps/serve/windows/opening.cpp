// A handle belongs to the completion port of the loop that opened it and cannot be handed on: the
// one loop opens everything itself, and greets when it has.
#include "serve/opening.hpp"

namespace upcall_serve {

using namespace upcall;

namespace {

task<bool> open_all(const options& settings, loop_share& own, std::vector<address>& places) {
    auto root = co_await file::open(settings.directory, open_read | open_directory);
    if (!root) {
        say(cannot_serve(settings, root.error()));
        co_return false;
    }
    own.root = std::move(*root);
    for (const address& asked : settings.listen) {
        auto listener = tcp::listener::bind(asked, {.backlog = static_cast<int>(settings.backlog)});
        if (!listener) {
            say("cannot listen on " + asked.to_string() + ": " + listener.error().message());
            co_return false;
        }
        places.push_back(listener->local_address().value_or(asked));
        own.listeners.push_back(std::move(*listener));
    }
    if (!settings.access_log) co_return true;
    auto log = co_await open_log_file(*settings.access_log);
    if (!log) {
        say("cannot write the access log '" + *settings.access_log + "': " + log.error().message());
        co_return false;
    }
    own.log_file = std::move(*log);
    co_return true;
}

}  // namespace

int open_and_serve(server_state& state, run_options running) {
    const options& settings = state.settings;
    // Standard output may be a console or a pipe, which no completion port takes.
    for (const auto& [asked, name] :
         {std::pair{!settings.user.empty(), "--user"},
          std::pair{settings.access_log == "-", "--access-log - (standard output)"}}) {
        if (!asked) continue;
        say(std::string(name) + " is not there on Windows");
        return 1;
    }
    selection_report chosen;
    running.chosen = [&](unsigned, const selection_report& report) { chosen = report; };
    bool opened = false;
    auto open_greet_serve = [&]() -> task<> {
        loop_share own;
        std::vector<address> places;
        opened = co_await open_all(settings, own, places);
        if (!opened) co_return;
        greeter(settings, places, 1).chosen(0, chosen);
        co_await serve_on_loop(state, std::move(own));
    };
    const int failed = run(open_greet_serve(), running);
    return opened ? failed : 1;
}

}  // namespace upcall_serve
