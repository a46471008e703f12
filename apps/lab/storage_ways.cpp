#include "lab/storage_ways.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <upcall/io/file.hpp>
#include <upcall/io/registered_buffer.hpp>
#include <upcall/os/thread.hpp>
#include <upcall/runtime/run.hpp>

#include "lab/clocks.hpp"
#include "lab/raw/file_reads.hpp"
#include "lab/scratch.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr const char* with_upcall = "upcall on ";

struct freed {
    void operator()(char* memory) const noexcept { std::free(memory); }
};
using block_memory = std::unique_ptr<char, freed>;

block_memory aligned_memory(std::size_t blocks) {
    void* made = nullptr;
    if (::posix_memalign(&made, block_bytes, blocks * block_bytes) != 0)
        throw lab_error("there is no memory for " + std::to_string(blocks) + " blocks");
    return block_memory(static_cast<char*>(made));
}

class random_blocks {
  public:
    random_blocks(std::uint64_t blocks, std::uint64_t seed)
        : blocks_(blocks), state_(seed * 2654435761U + 88172645463325252U) {}
    std::uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 11) % blocks_ * block_bytes;
    }

  private:
    std::uint64_t blocks_;
    std::uint64_t state_;
};

read_outcome summed_up(const std::vector<double>& latencies, double took, double cpu) {
    if (latencies.empty()) throw lab_error("no read ended in time");
    const auto reads = static_cast<double>(latencies.size());
    return {.reads_per_second = reads / took * 1e9,
            .median_ns = quantile(latencies, 0.5),
            .slowest_ns = quantile(latencies, 0.99),
            .cpu_ns = cpu / reads,
            .busy = cpu / took};
}

read_outcome read_by_engine(read_way way, const read_plan& plan) {
    const block_memory memory = aligned_memory(plan.depth);
    const auto engine = make_read_engine(way, plan.file, plan.depth);
    random_blocks random(plan.blocks, plan.depth);
    std::vector<double> since(plan.depth);
    std::vector<double> latencies;
    std::vector<unsigned> free;
    for (unsigned slot = 0; slot < plan.depth; ++slot) free.push_back(slot);
    const double start = now_ns();
    const double cpu = cpu_ns();
    unsigned in_flight = 0;
    for (double now = start; now < start + plan.seconds * 1e9 || in_flight > 0;) {
        if (now >= start + plan.seconds * 1e9) free.clear();
        // The last one that became free goes first, as from any stack of free buffers. In the order
        // of the slots the oldest reads would be the first that a POSIX AIO waits for, which is
        // then woken for each read: a quarter slower, out of the cache.
        for (; !free.empty(); free.pop_back()) {
            const unsigned slot = free.back();
            since[slot] = now;
            engine->prepare(slot, memory.get() + slot * block_bytes, block_bytes, random.next());
            ++in_flight;
        }
        engine->hand_over(1, free);
        now = now_ns();
        in_flight -= static_cast<unsigned>(free.size());
        for (const unsigned slot : free) latencies.push_back(now - since[slot]);
    }
    return summed_up(latencies, now_ns() - start, cpu_ns() - cpu);
}

struct reading_thread {
    const read_plan* plan = nullptr;
    char* buffer = nullptr;
    std::uint64_t seed = 0;
    double until = 0;
    std::vector<double> latencies;
    int error = 0;
};

void read_on(void* argument) noexcept {
    auto& mine = *static_cast<reading_thread*>(argument);
    random_blocks random(mine.plan->blocks, mine.seed);
    double now = now_ns();
    do {
        const auto got =
            ::pread(mine.plan->file, mine.buffer, block_bytes, static_cast<off_t>(random.next()));
        if (got != static_cast<ssize_t>(block_bytes)) mine.error = got < 0 ? errno : EIO;
        const double then = now_ns();
        mine.latencies.push_back(then - now);
        now = then;
    } while (now < mine.until && mine.error == 0);
}

read_outcome read_by_threads(const read_plan& plan) {
    const block_memory memory = aligned_memory(plan.depth);
    std::vector<reading_thread> all(plan.depth);
    std::vector<upcall::os_thread> threads;
    threads.reserve(plan.depth);
    const double start = now_ns();
    const double cpu = cpu_ns();
    std::string failure;
    for (unsigned at = 0; at < plan.depth && failure.empty(); ++at) {
        all[at] = {.plan = &plan,
                   .buffer = memory.get() + at * block_bytes,
                   .seed = at + 1,
                   .until = start + plan.seconds * 1e9,
                   .latencies = {}};
        auto started =
            upcall::os_thread::start(read_on, &all[at], {.name = "reader", .stack_bytes = 0});
        if (started)
            threads.push_back(std::move(*started));
        else
            failure = "thread " + std::to_string(at + 1) + " of " + std::to_string(plan.depth) +
                      " could not be started: " + started.error().message();
    }
    for (upcall::os_thread& each : threads) each.join();
    if (!failure.empty()) throw lab_error(failure);
    std::vector<double> latencies;
    for (const reading_thread& each : all) {
        if (each.error != 0) throw lab_error(failed("read by a thread", each.error));
        latencies.insert(latencies.end(), each.latencies.begin(), each.latencies.end());
    }
    return summed_up(latencies, now_ns() - start, cpu_ns() - cpu);
}

struct reading_tasks {
    const read_plan& plan;
    double until = 0;
    std::vector<double> latencies;
    std::string failure;
};

upcall::task<> read_on(upcall::file& from, upcall::byte_span buffer, reading_tasks& all,
                       std::uint64_t seed) {
    random_blocks random(all.plan.blocks, seed);
    double now = now_ns();
    do {
        const auto got = co_await from.read_at(buffer, random.next());
        if (!got || *got != block_bytes)
            all.failure = "a read failed: " + (got ? "it was short" : got.error().message());
        const double then = now_ns();
        all.latencies.push_back(then - now);
        now = then;
    } while (now < all.until && all.failure.empty());
}

upcall::task<> read_all(reading_tasks& all) {
    auto opened = co_await upcall::file::open(
        path_of(all.plan.file),
        upcall::open_read | (all.plan.direct ? upcall::open_direct : std::uint32_t{0}));
    if (!opened) {
        all.failure = "the file could not be opened: " + opened.error().message();
        co_return;
    }
    auto memory = upcall::registered_buffer::create(all.plan.depth * block_bytes);
    if (!memory) {
        all.failure = "there is no buffer: " + memory.error().message();
        co_return;
    }
    const auto body = [&](upcall::scope& readers) -> upcall::task<> {
        for (unsigned at = 0; at < all.plan.depth; ++at)
            readers.spawn_now(
                read_on(*opened, memory->span().subspan(at * block_bytes, block_bytes), all,
                        at + 1),
                "reader");
        co_return;
    };
    co_await upcall::with_scope(body);
}

read_outcome read_by_upcall(const std::string& driver, const read_plan& plan) {
    reading_tasks all{.plan = plan, .until = 0, .latencies = {}, .failure = {}};
    upcall::run_options how;
    how.driver.name = driver;
    how.handle_signals = false;
    const double start = now_ns();
    const double cpu = cpu_ns();
    all.until = start + plan.seconds * 1e9;
    const int status = upcall::run(read_all(all), how);
    if (!all.failure.empty()) throw lab_error(all.failure);
    if (status != 0) throw lab_error("upcall could not run on " + driver);
    return summed_up(all.latencies, now_ns() - start, cpu_ns() - cpu);
}

}  // namespace

std::vector<std::string> storage_ways(findings& found) {
    std::vector<std::string> ways = {threads_way};
    using upcall::kernel_interface;
    struct known {
        read_way way;
        kernel_interface needs;
    };
    for (const known each : {known{read_way::ring, kernel_interface::uring},
                             known{read_way::linux_aio, kernel_interface::linux_aio},
                             known{read_way::posix_aio, kernel_interface::posix_aio}}) {
        if (const auto why = lacks(each.needs))
            lab_run::leave_out(found, name_of(each.way), *why);
        else
            ways.push_back(name_of(each.way));
    }
    for (const std::string name : {"uring", "epoll"}) {
        if (const auto why = lacks_driver(name))
            lab_run::leave_out(found, with_upcall + name, *why);
        else
            ways.push_back(with_upcall + name);
    }
    return ways;
}

read_outcome read_blocks(const read_plan& plan) {
    settle_on_core(measured_core);
    if (plan.way == threads_way) return read_by_threads(plan);
    if (plan.way.starts_with(with_upcall))
        return read_by_upcall(plan.way.substr(std::char_traits<char>::length(with_upcall)), plan);
    for (const read_way each : {read_way::ring, read_way::linux_aio, read_way::posix_aio})
        if (plan.way == name_of(each)) return read_by_engine(each, plan);
    throw lab_error("there is no way '" + plan.way + "' to read");
}

}  // namespace upcall_lab
