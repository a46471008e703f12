#include "lab/raw/linux_aio.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "lab/findings.hpp"
#include "lab/words.hpp"

namespace upcall_lab {

aio_context::aio_context(unsigned requests) {
    if (::syscall(SYS_io_setup, requests, &context_) != 0)
        throw lab_error(failed("make an AIO context for " + std::to_string(requests) +
                                   " requests (fs.aio-max-nr is the limit of the system)",
                               errno));
}

aio_context::~aio_context() { ::syscall(SYS_io_destroy, context_); }

std::size_t aio_context::submit(iocb** requests, std::size_t count) {
    for (;;) {
        const long taken = ::syscall(SYS_io_submit, context_, count, requests);
        if (taken > 0) return static_cast<std::size_t>(taken);
        if (taken < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        throw lab_error(failed("submit to Linux AIO", errno));
    }
}

std::size_t aio_context::await(std::size_t wait_for, io_event* events, std::size_t room) {
    for (;;) {
        const long got = ::syscall(SYS_io_getevents, context_, wait_for, room, events, nullptr);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) throw lab_error(failed("wait for Linux AIO", errno));
    }
}

linux_aio_reads::linux_aio_reads(int file, unsigned slots)
    : context_(slots), file_(file), requests_(slots), events_(slots) {}

void linux_aio_reads::prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) {
    iocb& made = requests_[slot];
    made = {};
    made.aio_data = slot;
    made.aio_lio_opcode = IOCB_CMD_PREAD;
    made.aio_fildes = static_cast<std::uint32_t>(file_);
    made.aio_buf = reinterpret_cast<std::uint64_t>(buffer);
    made.aio_nbytes = size;
    made.aio_offset = static_cast<std::int64_t>(offset);
    prepared_.push_back(&made);
}

void linux_aio_reads::hand_over(unsigned wait_for, std::vector<unsigned>& ended) {
    for (std::size_t done = 0; done < prepared_.size();)
        done += context_.submit(prepared_.data() + done, prepared_.size() - done);
    prepared_.clear();
    const std::size_t count = context_.await(wait_for, events_.data(), events_.size());
    for (std::size_t at = 0; at < count; ++at) {
        const auto slot = static_cast<unsigned>(events_[at].data);
        expect_whole("Linux AIO", events_[at].res, requests_[slot].aio_nbytes);
        ended.push_back(slot);
    }
}

}  // namespace upcall_lab
