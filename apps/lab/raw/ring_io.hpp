// io_uring without anything around it: a ring, its entries, its completions.
#pragma once

#include "driver/uring/ring.hpp"
#include "lab/raw/file_reads.hpp"

namespace upcall_lab {

/// A ring of the calling thread. Throws lab_error.
void open_ring(upcall::ring& made, unsigned entries);

/// Enters until nothing is pending any more and there is at least one completion. Throws lab_error.
void enter_ring(upcall::ring& in, unsigned wait_for);

class ring_reads final : public read_engine {
  public:
    /// `twice`: handing over and waiting are calls of their own, as with most interfaces.
    ring_reads(int file, unsigned slots, bool twice);

    void prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) override;
    void hand_over(unsigned wait_for, std::vector<unsigned>& ended) override;

    upcall::ring& under() noexcept { return ring_; }

  private:
    unsigned reap(std::vector<unsigned>& ended);

    upcall::ring ring_;
    int file_;
    bool twice_;
    std::vector<std::size_t> sizes_;
};

}  // namespace upcall_lab
