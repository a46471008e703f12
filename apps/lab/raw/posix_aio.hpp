// POSIX AIO as glibc has it: threads that make plain calls, one thread for a descriptor.
#pragma once

#include <aio.h>

#include "lab/raw/file_reads.hpp"

namespace upcall_lab {

class posix_aio_reads final : public read_engine {
  public:
    /// `listed`: by one lio_listio(3), which waits, too, where all are awaited; else by an
    /// aio_read(3) for each.
    posix_aio_reads(int file, unsigned slots, bool listed);
    /// Waits for what is in flight: the threads write to these blocks.
    ~posix_aio_reads() override;

    void prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) override;
    void hand_over(unsigned wait_for, std::vector<unsigned>& ended) override;

  private:
    void submit_list(unsigned wait_for);
    unsigned collect(std::vector<unsigned>& ended);
    void await_one() const;

    int file_;
    bool listed_;
    std::vector<aiocb> blocks_;
    std::vector<aiocb*> prepared_;  // for a list
    /// By slot: in flight, or null.
    std::vector<const aiocb*> in_flight_;
};

}  // namespace upcall_lab
