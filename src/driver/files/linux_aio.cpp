#include "driver/files/linux_aio.hpp"

#if defined(__linux__)

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "driver/files/file_facts.hpp"
#include "driver/readiness/readiness_record.hpp"

namespace upcall {
namespace {

constexpr unsigned requests_max = 256;
constexpr unsigned requests_min = 8;
/// The disk works while the loop prepares the next. Of more than two the kernel keeps the first
/// back until it has seen the last (AIO_PLUG_THRESHOLD, fs/aio.c).
constexpr std::size_t handed_over_at_once = 2;
constexpr std::uint32_t no_wait = 8;  // RWF_NOWAIT, which glibc 2.36 names in bits/uio-ext.h

/// The completions as the kernel maps them at the address that is the context's number
/// (fs/aio.c, struct aio_ring); libaio reads them there, too.
struct completion_ring {
    std::uint32_t id;
    std::uint32_t count;
    std::uint32_t head;
    std::uint32_t tail;
    std::uint32_t magic;
    std::uint32_t compatible;
    std::uint32_t incompatible;
    std::uint32_t header_bytes;
    io_event events[1];
};
constexpr std::uint32_t ring_magic = 0xa10a10a1;

std::uint8_t& notes_of(const io_operation& op) noexcept {
    return static_cast<readiness_record&>(*op.target).engine_note;
}

}  // namespace

linux_aio_engine::~linux_aio_engine() {
    if (context_) ::syscall(SYS_io_destroy, context_);
    if (told_ >= 0) ::close(told_);
}

std::int64_t linux_aio_engine::open() noexcept {
    unsigned room = requests_max;
    // Others may have taken most of what the host has: few at a time are better than none.
    while (::syscall(SYS_io_setup, room, &context_) != 0) {
        context_ = 0;
        if (errno != EAGAIN || room <= requests_min) return -errno;
        room /= 2;
    }
    told_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (told_ < 0) return -errno;
    try {
        requests_.resize(room);
        free_.reserve(room);
        kept_.reserve(room);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    for (std::uint32_t place = room; place-- > 0;) free_.push_back(place);
    return 0;
}

// ---- handing over -------------------------------------------------------------------------------

linux_aio_engine::note linux_aio_engine::note_on(io_operation& op) noexcept {
    std::uint8_t& noted = notes_of(op);
    if (noted == unknown) {
        const file_facts facts = look_at_file(static_cast<int>(op.target->native));
        noted = facts.is_seekable_file && facts.is_direct && !facts.appends ? direct : buffered;
    }
    return static_cast<note>(noted);
}

file_engine::answer linux_aio_engine::submit(io_operation& op) noexcept {
    if (op.size == 0 || op.offset > INT64_MAX) return answer::not_mine;
    const note known = note_on(op);
    if (known == buffered) return answer::not_mine;
    if (known == direct_reads && op.kind == op_kind::file_write) return answer::not_mine;
    if (free_.empty()) {
        waiting_.push(op);
        return answer::taken;
    }
    request& made = requests_[free_.back()];
    free_.pop_back();
    prepare(made, op);
    kept_.push_back(&made.native);
    if (kept_.size() >= handed_over_at_once) hand_over();
    return answer::taken;
}

void linux_aio_engine::prepare(request& made, io_operation& op) noexcept {
    const bool reads = op.kind == op_kind::file_read;
    made.op = &op;
    made.native = {};
    made.native.aio_data = static_cast<std::uint64_t>(&made - requests_.data());
    made.native.aio_fildes = static_cast<std::uint32_t>(op.target->native);
    made.native.aio_offset = static_cast<std::int64_t>(op.offset);
    made.native.aio_flags = IOCB_FLAG_RESFD;
    made.native.aio_resfd = static_cast<std::uint32_t>(told_);
    made.native.aio_buf = reinterpret_cast<std::uintptr_t>(op.data);
    made.native.aio_nbytes = op.size;
    if (op.flags & op_vectored) {
        made.native.aio_lio_opcode = reads ? IOCB_CMD_PREADV : IOCB_CMD_PWRITEV;
        made.native.aio_nbytes = std::min<std::size_t>(op.size, IOV_MAX);
    } else {
        made.native.aio_lio_opcode = reads ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE;
    }
    if (notes_of(op) == direct) made.native.aio_rw_flags = static_cast<int>(no_wait);
}

void linux_aio_engine::hand_over() noexcept {
    std::size_t done = 0;
    while (done < kept_.size()) {
        const auto left = static_cast<long>(kept_.size() - done);
        const long took = ::syscall(SYS_io_submit, context_, left, kept_.data() + done);
        if (took > 0) {
            done += static_cast<std::size_t>(took);
            in_kernel_ += static_cast<unsigned>(took);
            continue;
        }
        const int error = took == 0 ? EAGAIN : errno;
        // Full: what it has will make room.
        if (error == EAGAIN && in_kernel_ > 0) break;
        request& first = requests_[kept_[done]->aio_data];
        if (error == EOPNOTSUPP && first.native.aio_rw_flags) {
            notes_of(*first.op) = direct_reads;
            first.native.aio_rw_flags = 0;
            if (first.op->kind == op_kind::file_read) continue;
            give_up(first, would_block);
        } else {
            give_up(first, -error);
        }
        ++done;
    }
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(done));
}

/// A request that the kernel did not take: `collect` brings it.
void linux_aio_engine::give_up(request& refused, std::int64_t result) noexcept {
    refused.op->result = result;
    refused_.push(*refused.op);
    refused.op = nullptr;
    free_.push_back(static_cast<std::uint32_t>(&refused - requests_.data()));
}

// ---- taking back --------------------------------------------------------------------------------

void linux_aio_engine::collect(operations& ended, bool told) noexcept {
    if (told) {
        std::uint64_t count = 0;
        // Only to make it unreadable: the ring tells how many there are.
        while (::read(told_, &count, sizeof count) < 0 && errno == EINTR) {
        }
    }
    while (io_operation* op = refused_.pop()) ended.push(*op);
    if (in_kernel_ > 0 && !collect_from_memory(ended)) collect_by_call(ended);
    while (!free_.empty()) {
        io_operation* next = waiting_.pop();
        if (!next) break;
        request& made = requests_[free_.back()];
        free_.pop_back();
        prepare(made, *next);
        kept_.push_back(&made.native);
    }
    hand_over();
    while (io_operation* op = refused_.pop()) ended.push(*op);
}

void linux_aio_engine::end(std::uint64_t place, std::int64_t result, operations& ended) noexcept {
    request& done = requests_[place];
    if (result == -EOPNOTSUPP && done.native.aio_rw_flags) {
        notes_of(*done.op) = direct_reads;
        result = would_block;
    }
    done.op->result = result;
    ended.push(*done.op);
    done.op = nullptr;
    free_.push_back(static_cast<std::uint32_t>(place));
    --in_kernel_;
}

/// Without a system call. False: this kernel's ring is of another kind.
bool linux_aio_engine::collect_from_memory(operations& ended) noexcept {
    auto& ring = *reinterpret_cast<completion_ring*>(context_);
    if (ring.magic != ring_magic || ring.incompatible != 0) return false;
    std::uint32_t head = ring.head;
    const std::uint32_t tail = std::atomic_ref(ring.tail).load(std::memory_order_acquire);
    while (head != tail) {
        const io_event& event = (&ring.events[0])[head];
        end(event.data, event.res, ended);
        if (++head == ring.count) head = 0;
    }
    std::atomic_ref(ring.head).store(head, std::memory_order_release);
    return true;
}

void linux_aio_engine::collect_by_call(operations& ended) noexcept {
    io_event events[32];
    for (;;) {
        timespec at_once{};
        const long count = ::syscall(SYS_io_getevents, context_, 0L, 32L, events, &at_once);
        for (long at = 0; at < count; ++at) end(events[at].data, events[at].res, ended);
        if (count < 32) return;
    }
}

bool linux_aio_engine::withdraw(io_operation& op) noexcept {
    if (waiting_.remove(op)) return true;
    const auto kept = std::ranges::find_if(
        kept_, [&](const iocb* each) { return requests_[each->aio_data].op == &op; });
    if (kept == kept_.end()) return false;
    request& made = requests_[(*kept)->aio_data];
    kept_.erase(kept);
    made.op = nullptr;
    free_.push_back(static_cast<std::uint32_t>(made.native.aio_data));
    return true;
}

void linux_aio_engine::withdraw_all(const handle_record& target, operations& withdrawn) noexcept {
    operations others;
    while (io_operation* op = waiting_.pop())
        (op->target == &target ? withdrawn : others).push(*op);
    while (io_operation* op = others.pop()) waiting_.push(*op);
    std::erase_if(kept_, [&](const iocb* each) {
        request& made = requests_[each->aio_data];
        if (made.op->target != &target) return false;
        withdrawn.push(*made.op);
        made.op = nullptr;
        free_.push_back(static_cast<std::uint32_t>(each->aio_data));
        return true;
    });
}

}  // namespace upcall

#endif
