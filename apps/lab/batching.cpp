// What batching buys: the cost of a read against how many are handed over at once.
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <upcall/driver/host.hpp>
#include <vector>

#include "lab/clocks.hpp"
#include "lab/experiments.hpp"
#include "lab/fit.hpp"
#include "lab/raw/file_reads.hpp"
#include "lab/raw/ring_io.hpp"
#include "lab/scratch.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr std::array<unsigned, 8> batches = {1, 2, 4, 8, 16, 32, 64, 128};
constexpr std::size_t read_bytes = 512;
constexpr std::uint64_t file_bytes = 1 << 20;
constexpr std::uint64_t hot_bytes = 64 << 10;

struct costs {
    read_way way{};
    std::string failure;
    std::vector<std::vector<double>> by_batch = std::vector<std::vector<double>>(batches.size());
};

/// Nanoseconds of processor time for one read.
double cost_of(read_engine& by, unsigned batch, double seconds, std::vector<char>& memory) {
    constexpr int batches_between_looks = 16;
    std::vector<unsigned> ended;
    std::uint64_t reads = 0;
    std::uint64_t random = 1;
    const double until = now_ns() + seconds * 1e9;
    const double before = cpu_ns();
    do {
        for (int round = 0; round < batches_between_looks; ++round) {
            for (unsigned slot = 0; slot < batch; ++slot) {
                random = random * 6364136223846793005U + 1442695040888963407U;
                by.prepare(slot, memory.data() + slot * read_bytes, read_bytes,
                           (random >> 33) % (hot_bytes / read_bytes) * read_bytes);
            }
            ended.clear();
            by.hand_over(batch, ended);
        }
        reads += std::uint64_t{batches_between_looks} * batch;
    } while (now_ns() < until);
    return (cpu_ns() - before) / static_cast<double>(reads);
}

samples costs_of(read_way way, int file, double seconds) {
    settle_on_core(measured_core);
    std::vector<char> memory(batches.back() * read_bytes);
    samples found;
    for (const unsigned batch : batches) {
        const auto engine = make_read_engine(way, file, batch);
        cost_of(*engine, batch, seconds / 10, memory);  // warms caches up
        found.push_back(cost_of(*engine, batch, seconds, memory));
    }
    return found;
}

/// tk, ts + tk, tr: see below.
samples primitives(double seconds) {
    settle_on_core(measured_core);
    const auto per_call = [&](auto&& call) {
        constexpr int calls = 256;
        double count = 0;
        const double start = now_ns();
        const double before = cpu_ns();  // what others do on this core meanwhile is not in that
        do {
            for (int at = 0; at < calls; ++at) call();
            count += calls;
        } while (now_ns() < start + seconds * 1e9);
        return (cpu_ns() - before) / count;
    };
    const double bare = per_call([] { ::syscall(SYS_getppid); });
    upcall::ring ring;
    open_ring(ring, 64);
    const double enter = per_call([&] { ring.enter(0, nullptr); });

    // What the program itself does for a request: fill an entry, look at a completion.
    constexpr unsigned entries = 64;
    std::vector<double> own;
    const double start = now_ns();
    do {
        const double filling = now_ns();
        for (unsigned at = 0; at < entries; ++at) {
            upcall::uring_abi::sqe* const entry = ring.next_entry();
            if (entry == nullptr) break;
            entry->opcode = upcall::uring_abi::op::nop;
            entry->user_data = at;
        }
        const double filled = now_ns();
        enter_ring(ring, entries);
        const double reaping = now_ns();
        std::uint64_t sum = 0;
        const double count =
            ring.reap([&](const upcall::uring_abi::cqe& each) { sum += each.user_data; });
        own.push_back((now_ns() - reaping + filled - filling) / count);
        if (sum != std::uint64_t{entries} * (entries - 1) / 2)
            throw lab_error("a completion came that nobody asked for");
    } while (now_ns() < start + seconds * 1e9);
    return {bare, enter, quantile(own, 0.5)};
}

series series_of(const costs& from, const std::string& name) {
    series made{.name = name, .points = {}, .is_model = false};
    for (std::size_t at = 0; at < batches.size(); ++at)
        if (!from.by_batch[at].empty())
            made.points.push_back({static_cast<double>(batches[at]), spread_of(from.by_batch[at])});
    return made;
}

std::vector<read_way> ways_here(findings& found) {
    std::vector<read_way> ways = {read_way::plain};
    const auto add = [&](read_way way, upcall::kernel_interface needs) {
        if (const auto why = lacks(needs))
            lab_run::leave_out(found, name_of(way), *why);
        else
            ways.push_back(way);
    };
    add(read_way::ring, upcall::kernel_interface::uring);
    add(read_way::ring_twice, upcall::kernel_interface::uring);
    add(read_way::linux_aio, upcall::kernel_interface::linux_aio);
    add(read_way::posix_aio_list, upcall::kernel_interface::posix_aio);
    return ways;
}

const series* find(const chart& in, const std::string& name) {
    for (const series& each : in.all)
        if (each.name == name && !each.points.empty()) return &each;
    return nullptr;
}

std::string crossing_words(const std::optional<double>& at) {
    return at ? "from a batch of " + in_digits(*at) + " on" : "at no batch that was tried";
}

/// Holds the two-call ring against the formula, and adds the formula's curve.
void compare_with_model(findings& found, chart& shown, double c, double tr) {
    const series* const ring = find(shown, name_of(read_way::ring_twice));
    if (ring == nullptr) return;
    const std::vector<point> measured = ring->points;
    const point last = measured.back();
    const double work = last.y.middle - c / last.x - tr;
    const auto model = [&](double batch) { return work + tr + c / batch; };
    series curve{.name = "model: work + tr + 2(ts + tk)/B", .points = {}, .is_model = true};
    for (const point& each : measured)
        curve.points.push_back({each.x, {model(each.x), model(each.x), model(each.x), 1}});
    const misfit worst = worst_misfit(measured, model);
    found.notes.push_back(
        "The model's curve is bound to the largest batch. It fails most at a batch of " +
        in_digits(worst.x) + ", where a read cost " + in_percent(worst.part) +
        " against it: it knows nothing of work in the kernel that is done once a batch.");

    const auto predicted = break_even(c, tr);
    if (!predicted) {
        found.notes.emplace_back(
            "tr is not less than 2(ts + tk) here: by the formula batching never pays.");
        shown.all.push_back(std::move(curve));
        return;
    }
    found.numbers.push_back({"break_even_predicted", *predicted, "",
                             "B* = 2(ts + tk) / (2(ts + tk) - tr), against two calls a request"});
    for (const read_way against : {read_way::linux_aio, read_way::plain}) {
        const series* const other = find(shown, name_of(against));
        if (other == nullptr) continue;
        // The other one's price for single requests, whatever the batch.
        std::vector<point> flat = measured;
        for (point& each : flat) each.y = other->points.front().y;
        const auto seen = crossing(measured, flat);
        if (seen)
            found.numbers.push_back(
                {against == read_way::plain ? "break_even_plain" : "break_even_linux_aio", *seen,
                 "",
                 "observed: batch from which io_uring with two calls a batch is no dearer than " +
                     name_of(against) + ", one request at a time"});
        found.notes.push_back(
            "io_uring with two calls a batch is no dearer than " + name_of(against) +
            " with single requests " + crossing_words(seen) + "; the formula says " +
            in_digits(against == read_way::plain ? break_even(c / 2, tr).value_or(0) : *predicted) +
            ". It takes the kernel's own work for a request to be the same in both.");
    }
    shown.all.push_back(std::move(curve));
}

void say_what_it_shows(findings& found, chart& shown) {
    const series* const plain = find(shown, name_of(read_way::plain));
    const series* const ring = find(shown, name_of(read_way::ring));
    if (ring == nullptr || plain == nullptr) {
        shown.sentence =
            "Without io_uring there is no interface here that hands over a batch and "
            "collects it in one call.";
        return;
    }
    const double single = ring->points.front().y.middle;
    const double most = ring->points.back().y.middle;
    const double call = plain->points.front().y.middle;
    shown.sentence = "A cached read of " + in_bytes(read_bytes) + " costs " + in_time(single) +
                     " by io_uring alone and " + in_time(most) + " in batches of " +
                     in_digits(ring->points.back().x) + "; a plain call costs " + in_time(call) +
                     ", and io_uring is no dearer than that " +
                     crossing_words(crossing(ring->points, plain->points)) + ".";
    if (const series* const aio = find(shown, name_of(read_way::posix_aio_list)))
        found.notes.push_back("POSIX AIO costs " + in_time(aio->points.back().y.middle) +
                              " a read even in large batches: glibc hands each to a thread.");
    found.notes.emplace_back(
        "The file is cached. Linux AIO then reads inside io_submit, so nothing of it is "
        "asynchronous; io_uring tries the same first.");
}

}  // namespace

void measure_batching(lab_run& run, findings& found) {
    found.question =
        "What does a read of 512 cached bytes cost, in processor time, when B of them are handed "
        "over at once and awaited together?";
    const owned_fd file = filled_file(run.settings().directory, file_bytes);
    std::vector<costs> all;
    for (const read_way way : ways_here(found)) all.push_back({.way = way, .failure = {}});
    const std::size_t rounds = run.rounds(5, 15);
    const double seconds = run.seconds(0.01, 0.04);
    const bool has_ring = !lacks(upcall::kernel_interface::uring);
    run.expect_steps(rounds * (all.size() + (has_ring ? 1 : 0)));

    std::vector<samples> parts(3);
    // Rounds outside, so that whatever disturbs meets all ways alike.
    for (std::size_t round = 0; run.another_round(round, rounds); ++round) {
        for (costs& each : all) {
            if (!each.failure.empty()) continue;
            const auto some = run.measure(name_of(each.way),
                                          [&] { return costs_of(each.way, file.get(), seconds); });
            if (!some) {
                each.failure = some.error();
                lab_run::leave_out(found, name_of(each.way), each.failure);
                continue;
            }
            for (std::size_t at = 0; at < batches.size(); ++at)
                each.by_batch[at].push_back(some->at(at));
        }
        if (!has_ring) continue;
        const samples some = run.need("system calls", [&] { return primitives(seconds); });
        for (std::size_t at = 0; at < parts.size(); ++at) parts[at].push_back(some.at(at));
    }

    chart shown;
    shown.name = "cost_per_read";
    shown.title = "Cost of a read against the batch";
    shown.x_label = "reads handed over at once, B";
    shown.y_label = "processor time a read, ns";
    shown.log_x = shown.log_y = true;
    for (const costs& each : all) shown.all.push_back(series_of(each, name_of(each.way)));
    if (has_ring) {
        const double tk = spread_of(parts[0]).middle;
        const double both = spread_of(parts[1]).middle;
        const double tr = spread_of(parts[2]).middle;
        found.numbers.push_back({"tk", tk, "ns", "tk: into the kernel and back, by getppid"});
        found.numbers.push_back(
            {"ts", both - tk, "ns", "ts: what an empty io_uring_enter costs on top of that"});
        found.numbers.push_back(
            {"tr", tr, "ns", "tr: filling an entry and looking at its completion"});
        compare_with_model(found, shown, 2 * both, tr);
    }
    say_what_it_shows(found, shown);
    found.charts.push_back(std::move(shown));
}

}  // namespace upcall_lab
