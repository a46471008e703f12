#include "serve/listeners.hpp"

#include <filesystem>

#include <upcall/os/socket_file.hpp>

namespace upcall_serve {

using namespace upcall;

namespace {

bool has_file(const address& where) {
    return where.family() == address_family::unix_path && !where.path().starts_with('@');
}

bool is_socket(std::string_view path) {
    std::error_code missing;
    return std::filesystem::is_socket(path, missing);
}

// A process that was killed is gone before its rings are, which keep its sockets open until the
// kernel has cleared them away in the background (io_uring/io_uring.c, io_ring_exit_work).
constexpr int looks_at_place = 100;
constexpr upcall::duration look_again_after = std::chrono::milliseconds(20);

// Listens on `where`, and notes in it the port that was chosen.
result<descriptor> listen_on(address& where, const tcp::listen_options& how) {
    auto listener = tcp::listener::bind(where, how);
    if (!listener) return failure(listener.error());
    if (auto local = listener->local_address(); local) where = *local;
    auto native = listener->release();
    if (!native) return failure(native.error());
    return descriptor(*native);
}

// As `listen_on`, in place of a file that nobody listens behind.
task<result<descriptor>> listen_on_file(address& where, const tcp::listen_options& how) {
    auto made = listen_on(where, how);
    for (int look = 0; look < looks_at_place && !made; ++look) {
        if (made.error() != std::errc::address_in_use) break;
        const auto removed = remove_stale_socket(std::string(where.path()));
        if (!removed) co_return failure(removed.error());
        if (!*removed && !is_socket(where.path())) break;
        if (!*removed) static_cast<void>(co_await sleep(look_again_after));
        made = listen_on(where, how);
    }
    co_return made;
}

// As `listen_on`, where nobody else listens. A socket that shares its port with others would be let
// in beside those of another server of the same user, and each would get some of the connections.
task<result<descriptor>> listen_on_free(address& where, const tcp::listen_options& how) {
    tcp::listen_options alone = how;
    alone.reuse_port = false;
    auto made = listen_on(where, alone);
    for (int look = 0; look < looks_at_place && !made; ++look) {
        if (made.error() != std::errc::address_in_use) break;
        static_cast<void>(co_await sleep(look_again_after));
        made = listen_on(where, alone);
    }
    if (!made || !how.reuse_port) co_return made;
    *made = descriptor();
    co_return listen_on(where, how);
}

// For every loop a socket of its own, among which the kernel shares the connections out; a Unix
// socket has but one, and each loop gets a copy of it.
task<result<address>> listen_for_all(const address& asked, const options& settings,
                                     socket_files& files, listeners& into) {
    address where = asked;
    const bool one_for_all = asked.family() == address_family::unix_path;
    const tcp::listen_options how{.backlog = static_cast<int>(settings.backlog),
                                  .reuse_port = !one_for_all && into.by_loop.size() > 1};
    for (auto& own : into.by_loop) {
        const bool first = &own == &into.by_loop.front();
        result<descriptor> made;
        if (one_for_all && !first)
            made = descriptor::copy_of(into.by_loop[0].back().get());
        else if (has_file(asked))
            made = co_await listen_on_file(where, how);
        else if (first)
            made = co_await listen_on_free(where, how);
        else
            made = listen_on(where, how);
        if (!made) co_return failure(made.error());
        own.push_back(std::move(*made));
        if (first && has_file(asked)) files.add(std::string(asked.path()));
    }
    co_return where;
}

}  // namespace

task<std::expected<listeners, std::string>> open_listeners(const options& settings, unsigned loops,
                                                           socket_files& files) {
    listeners made;
    made.by_loop.resize(loops);
    for (const address& asked : settings.listen) {
        const auto where = co_await listen_for_all(asked, settings, files, made);
        if (!where) {
            files.remove();
            co_return std::unexpected("cannot listen on " + asked.to_string() + ": " +
                                      where.error().message());
        }
        made.addresses.push_back(*where);
    }
    co_return made;
}

}  // namespace upcall_serve
