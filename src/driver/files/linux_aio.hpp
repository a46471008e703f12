// Linux AIO (io_submit(2)), by system calls of our own: the kernel reads and writes files that were
// opened with O_DIRECT while the loop goes on, and tells by an eventfd.
//
// For anything else io_submit does the whole transfer before it returns: buffered files, and files
// opened to append, go to the pool. So does what the kernel would have to wait for in the middle of
// io_submit, such as space for a write that makes its file longer: each request says RWF_NOWAIT
// (io_submit(2), 4.14), and comes back instead. Where a file system does not know that flag, reads
// are handed over without it and writes go to the pool.
//
// io_cancel(2) knows no way to stop a disk: what the kernel has ends with its value.
#pragma once

#include <linux/aio_abi.h>

#include <vector>

#include "driver/files/file_engine.hpp"
#include "driver/posix/wake_signal.hpp"

namespace upcall {

class linux_aio_engine final : public file_engine {
  public:
    ~linux_aio_engine() override;

    /// EAGAIN: fs.aio-max-nr is used up, even for few requests; ENOSYS and EPERM, see io_setup(2).
    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override { return "linux_aio"; }
    int fd() const noexcept override { return told_; }
    answer submit(io_operation& op) noexcept override;
    void hand_over() noexcept override;
    time_point wait(time_point deadline) noexcept override {
        return refused_.empty() ? deadline : time_point{};
    }
    void collect(operations& ended, bool told) noexcept override;
    time_point collect_by() noexcept override {
        return refused_.empty() && kept_.empty() ? never : time_point::min();
    }
    bool withdraw(io_operation& op) noexcept override;
    void withdraw_all(const handle_record& target, operations& withdrawn) noexcept override;

  private:
    /// What is known of a file, in its record.
    enum note : std::uint8_t { unknown, buffered, direct, direct_reads };
    struct request {
        iocb native{};
        io_operation* op = nullptr;
    };

    static note note_on(io_operation& op) noexcept;
    void prepare(request& made, io_operation& op) noexcept;
    void give_up(request& refused, std::int64_t result) noexcept;
    bool refuse_first(int error) noexcept;
    void end(std::uint64_t place, std::int64_t result, operations& ended) noexcept;
    bool collect_from_memory(operations& ended) noexcept;
    void collect_by_call(operations& ended) noexcept;

    aio_context_t context_ = 0;
    int told_ = -1;
    unsigned in_kernel_ = 0;
    std::vector<request> requests_;
    std::vector<std::uint32_t> free_;
    /// Not handed over yet, oldest first: those with a request, and those that wait for one.
    std::vector<iocb*> kept_;
    operations waiting_;
    /// What the kernel did not take, for `collect` to bring.
    operations refused_;
};

}  // namespace upcall
