#include "lab/pair_writes.hpp"

#include <aio.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <upcall/io/file.hpp>
#include <upcall/os/thread.hpp>
#include <upcall/runtime/run.hpp>
#include <upcall/task/start.hpp>

#include "lab/raw/linux_aio.hpp"
#include "lab/raw/ring_io.hpp"
#include "lab/scratch.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

namespace abi = upcall::uring_abi;

constexpr const char* with_upcall = "upcall ";
constexpr std::size_t alignment = 4096;

struct freed {
    void operator()(char* memory) const noexcept { std::free(memory); }
};

std::unique_ptr<char, freed> filled_block(char with) {
    void* made = nullptr;
    if (::posix_memalign(&made, alignment, written_bytes) != 0)
        throw lab_error("there is no memory for a block");
    std::memset(made, with, written_bytes);
    return std::unique_ptr<char, freed>(static_cast<char*>(made));
}

/// What is written first, then second.
struct pair_blocks {
    std::unique_ptr<char, freed> first = filled_block('1');
    std::unique_ptr<char, freed> second = filled_block('2');
    std::array<char*, 2> both() const { return {first.get(), second.get()}; }
};

void expect_written(const char* by, std::int64_t result) {
    if (result != static_cast<std::int64_t>(written_bytes))
        throw lab_error(
            failed(std::string("write by ") + by, result < 0 ? static_cast<int>(-result) : EIO));
}

/// Writes a pair; whether the second was told of before the first.
class pair_writer {
  public:
    pair_writer() = default;
    pair_writer(const pair_writer&) = delete;
    pair_writer& operator=(const pair_writer&) = delete;
    virtual ~pair_writer() = default;
    virtual bool write() = 0;
};

class ring_pairs final : public pair_writer {
  public:
    ring_pairs(int file, const pair_blocks& blocks, std::uint8_t first_flags,
               std::uint8_t second_flags)
        : file_(file), blocks_(&blocks), flags_{first_flags, second_flags} {
        open_ring(ring_, 8);
    }
    bool write() override {
        for (unsigned at = 0; at < 2; ++at) {
            abi::sqe* const entry = ring_.next_entry();
            if (entry == nullptr) throw lab_error("the ring is full");
            entry->opcode = abi::op::write;
            entry->fd = file_;
            entry->addr = reinterpret_cast<std::uint64_t>(blocks_->both().at(at));
            entry->len = written_bytes;
            entry->flags = flags_.at(at);
            entry->user_data = at;
        }
        std::array<unsigned, 2> order{};
        unsigned ended = 0;
        std::int64_t wrong = written_bytes;
        while (ended < 2) {
            enter_ring(ring_, 2 - ended);
            ring_.reap([&](const abi::cqe& each) {
                order.at(ended++) = static_cast<unsigned>(each.user_data);
                if (each.res != static_cast<std::int32_t>(written_bytes)) wrong = each.res;
            });
        }
        expect_written("io_uring", wrong);
        return order[0] == 1;
    }

  private:
    upcall::ring ring_;
    int file_;
    const pair_blocks* blocks_;
    std::array<std::uint8_t, 2> flags_;
};

class linux_aio_pairs final : public pair_writer {
  public:
    linux_aio_pairs(int file, const pair_blocks& blocks) : file_(file), blocks_(&blocks) {}
    bool write() override {
        std::array<iocb, 2> requests{};
        std::array<iocb*, 2> both = {requests.data(), requests.data() + 1};
        for (unsigned at = 0; at < 2; ++at) {
            requests.at(at).aio_data = at;
            requests.at(at).aio_lio_opcode = IOCB_CMD_PWRITE;
            requests.at(at).aio_fildes = static_cast<std::uint32_t>(file_);
            requests.at(at).aio_buf = reinterpret_cast<std::uint64_t>(blocks_->both().at(at));
            requests.at(at).aio_nbytes = written_bytes;
        }
        for (std::size_t done = 0; done < 2;) done += context_.submit(both.data() + done, 2 - done);
        std::array<io_event, 2> events{};
        for (std::size_t ended = 0; ended < 2;)
            ended += context_.await(2 - ended, events.data() + ended, 2 - ended);
        for (const io_event& each : events) expect_written("Linux AIO", each.res);
        return events[0].data == 1;
    }

  private:
    aio_context context_{8};
    int file_;
    const pair_blocks* blocks_;
};

class posix_aio_pairs final : public pair_writer {
  public:
    posix_aio_pairs(int file, const pair_blocks& blocks) : file_(file), blocks_(&blocks) {}
    bool write() override {
        std::array<aiocb, 2> requests{};
        std::array<aiocb*, 2> both = {requests.data(), requests.data() + 1};
        for (unsigned at = 0; at < 2; ++at) {
            requests.at(at).aio_fildes = file_;
            requests.at(at).aio_buf = blocks_->both().at(at);
            requests.at(at).aio_nbytes = written_bytes;
            requests.at(at).aio_lio_opcode = LIO_WRITE;
            requests.at(at).aio_sigevent.sigev_notify = SIGEV_NONE;
        }
        if (::lio_listio(LIO_NOWAIT, both.data(), 2, nullptr) != 0)
            throw lab_error(failed("submit to POSIX AIO", errno));
        const bool swapped = await_first(requests[0], requests[1]);
        for (aiocb& each : requests) expect_written("POSIX AIO", ::aio_return(&each));
        return swapped;
    }

  private:
    /// Waits for both; whether the second was seen to end while the first had not.
    static bool await_first(const aiocb& first, const aiocb& second) {
        bool swapped = false;
        const std::array<const aiocb*, 2> both = {&first, &second};
        for (;;) {
            const bool second_ended = ::aio_error(&second) != EINPROGRESS;
            const bool first_ended = ::aio_error(&first) != EINPROGRESS;
            if (first_ended && second_ended) return swapped;
            swapped = swapped || (second_ended && !first_ended);
            const std::array<const aiocb*, 2> left = {first_ended ? nullptr : both[0],
                                                      second_ended ? nullptr : both[1]};
            ::aio_suspend(left.data(), 2, nullptr);
        }
    }

    int file_;
    const pair_blocks* blocks_;
};

/// Two threads that are let go at once, in the order of the writes.
class thread_pairs final : public pair_writer {
  public:
    thread_pairs(int file, const pair_blocks& blocks) {
        for (unsigned at = 0; at < 2; ++at) {
            workers_.at(at).file = file;
            workers_.at(at).from = blocks.both().at(at);
            workers_.at(at).shared = &shared_;
            auto started = upcall::os_thread::start(work, &workers_.at(at),
                                                    {.name = "writer", .stack_bytes = 0});
            if (!started) {
                end();
                throw lab_error("no thread could be started: " + started.error().message());
            }
            workers_.at(at).thread.take(std::move(*started));
        }
    }
    ~thread_pairs() override { end(); }

    bool write() override {
        shared_.ended.store(0);
        for (worker& each : workers_) {
            each.turn.fetch_add(1);
            each.turn.notify_one();
        }
        for (int seen = shared_.ended.load(); seen < 2; seen = shared_.ended.load())
            shared_.ended.wait(seen);
        for (const worker& each : workers_) expect_written("a thread", each.result);
        return workers_[1].place < workers_[0].place;
    }

  private:
    struct common {
        std::atomic<int> ended{0};
        std::atomic<bool> over{false};
    };
    struct worker {
        int file = -1;
        const char* from = nullptr;
        common* shared = nullptr;
        upcall::os_thread thread;
        std::atomic<unsigned> turn{0};
        std::int64_t result = 0;
        int place = 0;
    };

    static void work(void* argument) noexcept {
        auto& mine = *static_cast<worker*>(argument);
        for (unsigned turn = 0;; ++turn) {
            mine.turn.wait(turn);
            if (mine.shared->over.load()) return;
            const auto written = ::pwrite(mine.file, mine.from, written_bytes, 0);
            mine.result = written < 0 ? -errno : written;
            mine.place = mine.shared->ended.fetch_add(1);
            mine.shared->ended.notify_one();
        }
    }

    void end() noexcept {
        shared_.over.store(true);
        for (worker& each : workers_) {
            each.turn.fetch_add(1);
            each.turn.notify_one();
            if (each.thread.joinable()) each.thread.join();
        }
    }

    common shared_;
    std::array<worker, 2> workers_;
};

class upcall_pairs final : public pair_writer {
  public:
    upcall_pairs(const std::string& driver, int file, const pair_blocks& blocks, bool in_order)
        : blocks_(&blocks), in_order_(in_order) {
        upcall::driver_choice choice;
        choice.name = driver;
        auto made = upcall::make_loop(choice);
        if (!made) throw lab_error("no loop on " + driver + ": " + made.error().message());
        home_ = std::move(*made);
        std::error_code why;
        upcall::scope all(home_->root());
        upcall::start(all, upcall::file::open(path_of(file), upcall::open_write),
                      [&](upcall::result<upcall::file> opened) {
                          if (opened)
                              file_ = std::move(*opened);
                          else
                              why = opened.error();
                      });
        home_->run();
        if (why) throw lab_error("the file could not be opened: " + why.message());
    }
    bool write() override {
        unsigned ended = 0;
        bool swapped = false;
        std::array<upcall::transfer, 2> written;
        // Lives until the run has ended: the callback of the first write uses it.
        const auto begin_second = [&](upcall::scope& all) {
            upcall::start(all, file_.write_all_at(view(1), 0), [&](upcall::transfer done) {
                written[1] = done;
                swapped = ended++ == 0;
            });
        };
        upcall::scope all(home_->root());
        upcall::start(all, file_.write_all_at(view(0), 0), [&](upcall::transfer done) {
            written[0] = done;
            ++ended;
            if (in_order_) begin_second(all);
        });
        if (!in_order_) begin_second(all);
        home_->run();
        for (const upcall::transfer& each : written)
            if (each.cause) throw lab_error("a write failed: " + each.cause.message());
        return swapped;
    }

  private:
    upcall::byte_view view(std::size_t at) const {
        return upcall::byte_view(reinterpret_cast<const std::byte*>(blocks_->both().at(at)),
                                 written_bytes);
    }
    const pair_blocks* blocks_;
    bool in_order_;
    std::unique_ptr<upcall::loop> home_;
    upcall::file file_;
};

std::unique_ptr<pair_writer> make_writer(const pair_way& way, int file, const pair_blocks& blocks) {
    using namespace abi;
    const std::string& name = way.name;
    if (name.starts_with("io_uring link"))
        return std::make_unique<ring_pairs>(file, blocks, sqe_flag::io_link, 0);
    if (name.starts_with("io_uring workers"))
        return std::make_unique<ring_pairs>(file, blocks, sqe_flag::async, sqe_flag::async);
    if (name.starts_with("io_uring")) return std::make_unique<ring_pairs>(file, blocks, 0, 0);
    if (name.starts_with("Linux AIO")) return std::make_unique<linux_aio_pairs>(file, blocks);
    if (name.starts_with("POSIX AIO")) return std::make_unique<posix_aio_pairs>(file, blocks);
    if (name == "threads") return std::make_unique<thread_pairs>(file, blocks);
    std::string driver = name.substr(std::char_traits<char>::length(with_upcall));
    driver = driver.substr(0, driver.find(' '));
    return std::make_unique<upcall_pairs>(driver, file, blocks, way.is_sequenced);
}

}  // namespace

std::vector<pair_way> pair_ways(findings& found) {
    std::vector<pair_way> ways = {{.name = "threads"}};
    const auto add = [&](const std::optional<std::string>& why, std::vector<pair_way> some) {
        for (pair_way& each : some)
            if (why)
                lab_run::leave_out(found, each.name, *why);
            else
                ways.push_back(std::move(each));
    };
    add(lacks(upcall::kernel_interface::uring), {{.name = "io_uring"},
                                                 {.name = "io_uring direct", .direct = true},
                                                 {.name = "io_uring workers"},
                                                 {.name = "io_uring link", .is_sequenced = true}});
    add(lacks(upcall::kernel_interface::linux_aio), {{.name = "Linux AIO direct", .direct = true}});
    add(lacks(upcall::kernel_interface::posix_aio), {{.name = "POSIX AIO"}});
    for (const std::string driver : {"uring", "epoll"})
        add(lacks_driver(driver),
            {{.name = with_upcall + driver},
             {.name = with_upcall + driver + " awaited", .is_sequenced = true}});
    return ways;
}

pair_outcome write_pairs(const pair_way& way, int file, unsigned pairs) {
    const owned_fd target = open_again(file, O_RDWR | (way.direct ? O_DIRECT : 0));
    const pair_blocks blocks;
    const auto writer = make_writer(way, target.get(), blocks);
    const auto seen = filled_block('0');
    pair_outcome outcome;
    for (unsigned count = 0; count < pairs; ++count) {
        if (writer->write()) ++outcome.told_swapped;
        const auto got = ::pread(target.get(), seen.get(), written_bytes, 0);
        if (got != static_cast<ssize_t>(written_bytes))
            throw lab_error(failed("read back what was written", got < 0 ? errno : EIO));
        const auto firsts = std::count(seen.get(), seen.get() + written_bytes, '1');
        if (firsts == static_cast<std::ptrdiff_t>(written_bytes))
            ++outcome.first_won;
        else if (firsts != 0)
            ++outcome.mixed;
        ++outcome.pairs;
    }
    return outcome;
}

}  // namespace upcall_lab
