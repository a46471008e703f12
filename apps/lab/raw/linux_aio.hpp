// Linux AIO by its system calls: io_setup(2), io_submit(2), io_getevents(2).
#pragma once

#include <linux/aio_abi.h>

#include "lab/raw/file_reads.hpp"

namespace upcall_lab {

/// A context for so many requests at once. Throws lab_error.
class aio_context {
  public:
    explicit aio_context(unsigned requests);
    aio_context(const aio_context&) = delete;
    aio_context& operator=(const aio_context&) = delete;
    ~aio_context();

    /// How many were taken, in order; throws lab_error where it is none.
    std::size_t submit(iocb** requests, std::size_t count);
    /// At least `wait_for`, at most `room`: how many there were.
    std::size_t await(std::size_t wait_for, io_event* events, std::size_t room);

  private:
    aio_context_t context_ = 0;
};

class linux_aio_reads final : public read_engine {
  public:
    linux_aio_reads(int file, unsigned slots);

    void prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) override;
    void hand_over(unsigned wait_for, std::vector<unsigned>& ended) override;

  private:
    aio_context context_;
    int file_;
    std::vector<iocb> requests_;
    std::vector<iocb*> prepared_;
    std::vector<io_event> events_;
};

}  // namespace upcall_lab
