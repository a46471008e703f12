// POSIX AIO (aio(7)) as the C library makes it of threads: regular files and block devices,
// buffered or not. Three ways to learn of a completion:
//
//   signal    a queued real-time signal, read by signalfd(2). One that lands on a thread that does
//             not block it meets a handler, which passes it on: the signal is the process's.
//   thread    the library calls back on a thread that it makes for each completion.
//   suspend   the loop itself waits in aio_suspend(3), 1 ms at most, while something is in flight:
//             what else becomes ready meanwhile waits as long.
//
// Each request is asked for its error until that is final, and for its value once. A notice that
// could not be sent is how glibc spoils a request: its error becomes EAGAIN, whatever was done. So
// every tenth of a second all requests are looked at, and one that ended so goes to the pool, which
// does it again: transfers at an offset may be done twice.
//
// Within glibc's limits (aio_init(3)): 64 requests in flight, the rest waits here and can still be
// taken back. Its threads, 20 of them, work on one descriptor one request at a time; a file that
// is asked for more at once gets some more (aio_lanes.hpp). Vectored transfers, files opened to
// append (which must not be done twice), and what is no file go to the pool, and so does everything
// in a child process, where glibc's threads are not.
#pragma once

#include <aio.h>
#include <signal.h>

#include <array>

#include "driver/files/aio_lanes.hpp"
#include "driver/files/aio_notices.hpp"
#include "driver/files/file_engine.hpp"

namespace upcall {

class posix_aio_engine final : public file_engine {
  public:
    enum class notice : std::uint8_t { signal, thread, suspend };

    posix_aio_engine(driver& owner, notice how) noexcept : owner_(owner), how_(how) {}
    ~posix_aio_engine() override;

    /// Errors: EAGAIN, no real-time signal is free; ENOTSUP, this is a child process whose parent
    /// has used POSIX AIO; what signalfd said.
    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override;
    int fd() const noexcept override { return signals_; }
    answer submit(io_operation& op) noexcept override;
    time_point wait(time_point deadline) noexcept override;
    void collect(operations& ended, bool told) noexcept override;
    time_point collect_by() noexcept override { return in_flight_ ? next_look_ : never; }
    bool withdraw(io_operation& op) noexcept override;
    void withdraw_all(const handle_record& target, operations& withdrawn) noexcept override;
    void forget(const handle_record& file) noexcept override { lanes_.forget(file); }

  private:
    static constexpr unsigned requests_max = aio_notices::places;
    struct request {
        aiocb native{};
        io_operation* op = nullptr;  // null: free
    };

    std::int64_t open_signal() noexcept;
    bool takes(const io_operation& op) noexcept;
    request* free_request() noexcept;
    void prepare(request& made, io_operation& op) noexcept;
    std::int64_t start(io_operation& op) noexcept;
    void read_signals() noexcept;
    void look_at(request& asked, operations& ended) noexcept;
    void free(request& ended) noexcept;
    void look_later() noexcept;
    void start_waiting(operations& ended) noexcept;
    bool cancelled(request& asked) noexcept;

    driver& owner_;
    notice how_;
    bool blocked_signal_ = false;
    int signals_ = -1;
    unsigned in_flight_ = 0;
    time_point next_look_{};
    aio_notices notices_;
    aio_lanes lanes_;
    std::array<request, requests_max> requests_{};
    operations waiting_;
};

}  // namespace upcall
