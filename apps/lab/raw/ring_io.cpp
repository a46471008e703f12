#include "lab/raw/ring_io.hpp"

#include <cerrno>

#include "lab/findings.hpp"
#include "lab/words.hpp"

namespace upcall_lab {

namespace abi = upcall::uring_abi;

void open_ring(upcall::ring& made, unsigned entries) {
    upcall::ring_shape shape;
    shape.sq_entries = entries;
    shape.cq_entries = 4 * entries;
    int error = made.open(shape);
    if (error >= 0) error = made.enable();
    if (error < 0)
        throw lab_error(failed("make a ring of " + std::to_string(entries) + " entries", -error));
}

void enter_ring(upcall::ring& in, unsigned wait_for) {
    for (;;) {
        const int error = in.enter(wait_for, nullptr);
        if (error < 0 && error != -EINTR && error != -EAGAIN && error != -EBUSY)
            throw lab_error(failed("enter the ring", -error));
        if (error >= 0 && in.pending() == 0) return;
        if (in.has_completions()) return;
    }
}

ring_reads::ring_reads(int file, unsigned slots, bool twice)
    : file_(file), twice_(twice), sizes_(slots) {
    open_ring(ring_, slots);
}

void ring_reads::prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) {
    abi::sqe* entry = ring_.next_entry();
    while (entry == nullptr) {
        enter_ring(ring_, 0);
        entry = ring_.next_entry();
    }
    entry->opcode = abi::op::read;
    entry->fd = file_;
    entry->addr = reinterpret_cast<std::uint64_t>(buffer);
    entry->len = static_cast<std::uint32_t>(size);
    entry->off = offset;
    entry->user_data = slot;
    sizes_[slot] = size;
}

unsigned ring_reads::reap(std::vector<unsigned>& ended) {
    std::int64_t worst = 0;
    std::size_t size = 0;
    const unsigned count = ring_.reap([&](const abi::cqe& each) {
        const auto slot = static_cast<unsigned>(each.user_data);
        ended.push_back(slot);
        if (each.res >= 0 && static_cast<std::size_t>(each.res) == sizes_[slot]) return;
        worst = each.res;
        size = sizes_[slot];
    });
    if (size != 0) expect_whole("io_uring", worst, size);
    return count;
}

void ring_reads::hand_over(unsigned wait_for, std::vector<unsigned>& ended) {
    if (twice_) {
        if (const int error = ring_.flush(); error < 0)
            throw lab_error(failed("enter the ring", -error));
    }
    for (unsigned got = 0; got < wait_for || ring_.pending() > 0;) {
        enter_ring(ring_, got < wait_for ? wait_for - got : 0);
        got += reap(ended);
    }
}

}  // namespace upcall_lab
