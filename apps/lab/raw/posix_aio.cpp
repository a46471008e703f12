#include "lab/raw/posix_aio.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <utility>

#include "lab/findings.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

/// aio_suspend(3) enters itself into each of them, and is taken out again: with all of them it
/// costs more than the reads. Others end meanwhile, and how many is a matter of whom it names:
/// glibc's thread reads in the order of submission, so the oldest wake the caller for each read.
constexpr std::size_t awaited_at_once = 8;

}  // namespace

posix_aio_reads::posix_aio_reads(int file, unsigned slots, bool listed)
    : file_(file), listed_(listed), blocks_(slots), in_flight_(slots) {}

posix_aio_reads::~posix_aio_reads() {
    for (const aiocb*& each : in_flight_) {
        if (each == nullptr) continue;
        while (::aio_error(each) == EINPROGRESS) ::aio_suspend(&each, 1, nullptr);
        ::aio_return(const_cast<aiocb*>(each));
    }
}

void posix_aio_reads::prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) {
    aiocb& made = blocks_[slot];
    made = {};
    made.aio_fildes = file_;
    made.aio_buf = buffer;
    made.aio_nbytes = size;
    made.aio_offset = static_cast<off_t>(offset);
    made.aio_lio_opcode = LIO_READ;
    made.aio_sigevent.sigev_notify = SIGEV_NONE;
    in_flight_[slot] = &made;
    if (listed_)
        prepared_.push_back(&made);
    else if (::aio_read(&made) != 0)
        throw lab_error(failed("submit to POSIX AIO", errno));
}

unsigned posix_aio_reads::collect(std::vector<unsigned>& ended) {
    unsigned count = 0;
    for (unsigned slot = 0; slot < in_flight_.size(); ++slot) {
        if (in_flight_[slot] == nullptr) continue;
        aiocb& block = blocks_[slot];
        const int error = ::aio_error(&block);
        if (error == EINPROGRESS) continue;
        const auto result = ::aio_return(&block);
        in_flight_[slot] = nullptr;
        expect_whole("POSIX AIO", error != 0 ? -error : result, block.aio_nbytes);
        ended.push_back(slot);
        ++count;
    }
    return count;
}

void posix_aio_reads::submit_list(unsigned wait_for) {
    const auto idle = std::ranges::count(in_flight_, nullptr);
    const bool waits = std::cmp_equal(wait_for, std::ssize(in_flight_) - idle);
    const int error = ::lio_listio(waits ? LIO_WAIT : LIO_NOWAIT, prepared_.data(),
                                   static_cast<int>(prepared_.size()), nullptr);
    prepared_.clear();
    // EIO: one of them failed, which collect() will see. EINTR: they are on their way.
    if (error != 0 && errno != EIO && errno != EINTR)
        throw lab_error(failed("submit to POSIX AIO", errno));
}

void posix_aio_reads::await_one() const {
    std::array<const aiocb*, awaited_at_once> some{};
    std::size_t count = 0;
    for (const aiocb* each : in_flight_)
        if (each != nullptr && count < some.size()) some.at(count++) = each;
    ::aio_suspend(some.data(), static_cast<int>(count), nullptr);
}

void posix_aio_reads::hand_over(unsigned wait_for, std::vector<unsigned>& ended) {
    if (!prepared_.empty()) submit_list(wait_for);
    for (unsigned got = collect(ended); got < wait_for; got += collect(ended)) await_one();
}

}  // namespace upcall_lab
