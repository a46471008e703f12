// Readiness against completion: what it takes until the 8,000th byte is in the buffer.
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "lab/clocks.hpp"
#include "lab/experiments.hpp"
#include "lab/owned_fd.hpp"
#include "lab/readiness_ways.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr std::size_t message_bytes = 8000;
constexpr std::size_t pieces = 8;
constexpr std::size_t piece_bytes = message_bytes / pieces;

void pause_for(double nanoseconds) {
    timespec length{.tv_sec = 0, .tv_nsec = static_cast<long>(nanoseconds)};
    ::nanosleep(&length, nullptr);
}

/// Sends a message in pieces whenever it is asked for one, until the other end is gone.
void send_when_asked(int socket, double gap_ns) {
    settle_on_core(loading_core);
    const std::vector<char> piece(piece_bytes, 'x');
    for (char asked = 0; ::read(socket, &asked, 1) == 1;) {
        for (std::size_t count = 0; count < pieces; ++count) {
            // Long enough for the receiver to be asleep again.
            pause_for(gap_ns);
            if (::send(socket, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;
        }
    }
}

/// notifications, calls, copies, processor time, one after the other for each message.
samples receive_messages(const receiving_name& by, std::size_t messages, double gap_ns) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw lab_error(failed("open a pair of sockets", errno));
    side_process sender([&] {
        ::close(ends[0]);
        send_when_asked(ends[1], gap_ns);
    });
    ::close(ends[1]);
    const owned_fd socket(ends[0]);
    settle_on_core(measured_core);
    const auto way = by.make(socket.get());
    std::vector<char> buffer(message_bytes);
    samples found;
    constexpr std::size_t warm_up = 3;
    for (std::size_t count = 0; count < messages + warm_up; ++count) {
        if (::write(socket.get(), "m", 1) != 1)
            throw lab_error(failed("ask the sender for a message", errno));
        const double before = cpu_ns();
        const effort spent = way->receive(buffer.data(), buffer.size());
        const double used = cpu_ns() - before;
        if (count < warm_up) continue;
        found.insert(found.end(), {spent.notifications, spent.calls, spent.copies, used});
    }
    return found;
}

struct seen_way {
    std::string name;
    std::array<spread, 4> values;
};

seen_way seen_of(const std::string& name, const samples& all) {
    seen_way seen{.name = name, .values = {}};
    for (std::size_t kind = 0; kind < seen.values.size(); ++kind) {
        std::vector<double> values;
        for (std::size_t at = kind; at < all.size(); at += seen.values.size())
            values.push_back(all[at]);
        seen.values[kind] = spread_of(values);
    }
    return seen;
}

series column(const std::vector<seen_way>& from, std::size_t kind, const std::string& name) {
    series made{.name = name, .points = {}, .is_model = false};
    for (std::size_t at = 0; at < from.size(); ++at)
        made.points.push_back({static_cast<double>(at), from[at].values.at(kind)});
    return made;
}

chart bars(const std::vector<seen_way>& from) {
    chart made;
    made.kind = chart_kind::bars;
    for (const seen_way& each : from) made.categories.push_back(each.name);
    made.x_label = "how the 8,000 bytes are taken";
    return made;
}

const seen_way* find(const std::vector<seen_way>& in, const std::string& name) {
    for (const seen_way& each : in)
        if (each.name == name) return &each;
    return nullptr;
}

std::string effort_words(const seen_way& of) {
    return counted(of.values[0].middle, "notification", "notifications") + ", " +
           counted(of.values[1].middle, "system call", "system calls") + " and " +
           counted(of.values[2].middle, "copy", "copies");
}

}  // namespace

void measure_readiness(lab_run& run, findings& found) {
    found.question =
        "8,000 bytes come in eight pieces. How many notifications, system calls and copies does it "
        "take until the 8,000th is in the buffer?";
    std::vector<const receiving_name*> here;
    for (const receiving_name& each : receiving_ways()) {
        const auto why = each.needs ? lacks(*each.needs) : std::nullopt;
        if (why)
            lab_run::leave_out(found, each.name, *why);
        else
            here.push_back(&each);
    }
    run.expect_steps(here.size());
    const auto messages = std::max<std::size_t>(5, run.rounds(100, 400));
    const double gap_ns = run.choose(100e3, 250e3);
    std::vector<seen_way> seen;
    for (const receiving_name* each : here) {
        const auto some =
            run.measure(each->name, [&] { return receive_messages(*each, messages, gap_ns); });
        if (some)
            seen.push_back(seen_of(each->name, *some));
        else
            lab_run::leave_out(found, each->name, some.error());
    }
    if (seen.empty()) throw lab_error("no way to receive could be measured");

    chart efforts = bars(seen);
    efforts.name = "effort";
    efforts.title = "What it takes until the 8,000th byte is there";
    efforts.y_label = "times for one message";
    efforts.all = {column(seen, 0, "notifications"), column(seen, 1, "system calls"),
                   column(seen, 2, "copies to the program")};
    const seen_way* const edge = find(seen, "epoll edge");
    const seen_way* const ring = find(seen, "uring all");
    if (edge != nullptr && ring != nullptr)
        efforts.sentence = "Edge-triggered epoll needs " + effort_words(*edge) +
                           "; one io_uring receive for all of it needs " + effort_words(*ring) +
                           ".";
    else
        efforts.sentence = seen.front().name + " needs " + effort_words(seen.front()) + ".";
    found.charts.push_back(std::move(efforts));

    chart times = bars(seen);
    times.name = "processor_time";
    times.title = "Processor time of the receiver for one message";
    times.y_label = "processor time a message, ns";
    times.all = {column(seen, 3, "processor time")};
    const auto cheapest = std::ranges::min_element(
        seen, {}, [](const seen_way& each) { return each.values[3].middle; });
    const auto dearest = std::ranges::max_element(
        seen, {}, [](const seen_way& each) { return each.values[3].middle; });
    times.sentence = "The cheapest way is " + cheapest->name + " with " +
                     in_time(cheapest->values[3].middle) + " a message, the dearest " +
                     dearest->name + " with " + in_time(dearest->values[3].middle) + ".";
    found.charts.push_back(std::move(times));
    found.notes.emplace_back(
        "The sender sleeps between the pieces, on another core. Where pieces come together all the "
        "same, as on a busy machine, fewer notifications are counted.");
    found.notes.emplace_back(
        "A copy is counted when bytes are handed to the program. A call that waits for everything "
        "copies each piece when it comes, too, and is woken for it inside the kernel.");
}

}  // namespace upcall_lab
