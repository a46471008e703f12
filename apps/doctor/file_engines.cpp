#include "doctor/file_engines.hpp"

#include <upcall/base/aligned_buffer.hpp>
#include <upcall/driver/select.hpp>
#include <upcall/io/file.hpp>
#include <upcall/runtime/run.hpp>

namespace upcall_doctor {
namespace {

using way = examined_engine::way;

constexpr const char* own_file = "/proc/self/exe";
constexpr std::size_t block_bytes = 4096;

way way_between(const upcall::file_transfer_counts& before,
                const upcall::file_transfer_counts& after) {
    if (after.sent_back > before.sent_back) return way::sent_back;
    if (after.by_engine > before.by_engine) return way::engine;
    return after.by_pool > before.by_pool ? way::pool : way::not_tried;
}

upcall::task<> read_once(upcall::loop& home, std::uint32_t how, const char* name, way& seen,
                         std::string& problem) {
    auto opened = co_await upcall::file::open(own_file, upcall::open_read | how);
    if (!opened) {
        problem = std::string("a file could not be opened for ") + name +
                  " reads: " + opened.error().message();
        co_return;
    }
    const upcall::aligned_buffer block(block_bytes);
    const auto before = home.via().file_transfers();
    const auto got = co_await opened->read_at(block.span(), 0);
    seen = way_between(before, home.via().file_transfers());
    if (!got) problem = std::string("a ") + name + " read failed: " + got.error().message();
}

upcall::task<> read_both(upcall::loop& home, examined_engine& found) {
    co_await read_once(home, upcall::open_direct, "direct", found.direct, found.problem);
    co_await read_once(home, 0, "cached", found.cached, found.problem);
}

examined_engine examine(const std::string& name, const upcall::host& host) {
    examined_engine found;
    found.name = name;
    const auto interface = name == "linux_aio" ? upcall::kernel_interface::linux_aio
                                               : upcall::kernel_interface::posix_aio;
    for (const auto needed : {upcall::kernel_interface::epoll, interface})
        if (!host[needed].available) {
            // Trying it again might end the process, where a filter kills.
            found.refused = host[needed].why;
            return found;
        }
    upcall::selection_report report;
    auto home = upcall::make_loop({.name = "epoll+" + name, .uring = {}}, {}, &report);
    if (!home) {
        found.refused = "epoll: " + home.error().message() + '.';
        return found;
    }
    if (!report.refused.empty()) {
        found.refused = report.refused.front().why + '.';
        return found;
    }
    upcall::scope trying((*home)->root());
    trying.spawn_now(read_both(**home, found), "read");
    (*home)->run();
    return found;
}

std::string went(way by) {
    switch (by) {
        case way::engine:
            return "goes through it";
        case way::pool:
            return "is left to the pool";
        case way::sent_back:
            return "came back, as the kernel would have had to wait, and went to the pool";
        case way::not_tried:
            break;
    }
    return "was not tried";
}

}  // namespace

std::vector<examined_engine> examine_file_engines(const upcall::host& host) {
    std::vector<examined_engine> all;
    for (const std::string& name : upcall::file_engine_names()) all.push_back(examine(name, host));
    return all;
}

std::string words_for(const examined_engine& engine) {
    if (!engine.refused.empty()) return engine.refused;
    std::string text =
        "A direct read " + went(engine.direct) + ", a cached one " + went(engine.cached) + '.';
    if (!engine.problem.empty()) text += " Note: " + engine.problem + '.';
    return text;
}

}  // namespace upcall_doctor
