#include "driver/host/linux/ring_trials.hpp"

#if defined(__linux__)

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

namespace upcall::host_probe {
namespace {

using uring_abi::cqe;
using uring_abi::op;
using uring_abi::register_op;
using uring_abi::sqe;

constexpr std::uint64_t tag_first = 0x1001;
constexpr std::uint64_t tag_second = 0x1002;

using outcome = ring_test_result::outcome;
constexpr ring_test_result passed{outcome::passed, 0};
// The kernel answered without an error, but not what it should have.
constexpr ring_test_result wrong{outcome::failed, 0};

ring_test_result failed(int negative_errno) noexcept { return {outcome::failed, -negative_errno}; }

// Two connected sockets, closed at the end of the trial.
struct socket_pair {
    int ends[2] = {-1, -1};
    int error = 0;

    socket_pair() noexcept {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) error = -errno;
    }
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;
    ~socket_pair() {
        if (ends[0] >= 0) ::close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    bool say(char letter) noexcept {
        return ::send(ends[1], &letter, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
    }
};

ring_test_result try_enable(trial_ring& ring, ring_facts& report) noexcept {
    if (!(report.setup_flags & uring_abi::setup::r_disabled)) return {};
    const int code = ring.control(register_op::enable_rings, nullptr, 0);
    return code < 0 ? failed(code) : passed;
}

ring_test_result try_round_trip(trial_ring& ring) noexcept {
    sqe& entry = ring.next();
    entry.opcode = op::nop;
    entry.user_data = tag_first;
    if (const int code = ring.enter(1); code < 0) return failed(code);
    cqe answer{};
    if (!ring.take(answer) || answer.user_data != tag_first) return wrong;
    return answer.res < 0 ? failed(answer.res) : passed;
}

ring_test_result try_cancel(trial_ring& ring) noexcept {
    socket_pair pair;
    if (pair.error) return failed(pair.error);
    char byte = 0;
    sqe& receive = ring.next();
    receive.opcode = op::recv;
    receive.fd = pair.ends[0];
    receive.addr = reinterpret_cast<std::uint64_t>(&byte);
    receive.len = 1;
    receive.user_data = tag_first;
    sqe& cancel = ring.next();
    cancel.opcode = op::async_cancel;
    cancel.fd = -1;
    cancel.addr = tag_first;
    cancel.user_data = tag_second;
    if (const int code = ring.enter(2); code < 0) return failed(code);
    for (int i = 0; i < 2; ++i) {
        cqe answer{};
        if (!ring.take(answer)) return wrong;
        const int expected = answer.user_data == tag_first ? -ECANCELED : 0;
        if (answer.res != expected) return answer.res < 0 ? failed(answer.res) : wrong;
    }
    return passed;
}

// A provided buffer ring of a few buffers of one byte, in memory of its own. The memory is given
// back only after a trial that went well: else a receive may still be pending, and the kernel
// would write into whatever is mapped there next.
class letter_buffers {
  public:
    static constexpr std::uint16_t group = 7;
    static constexpr unsigned count = 4;  // two for the letters, so that the end finds some left

    explicit letter_buffers(trial_ring& ring) noexcept : ring_(ring) {
        void* const page =
            ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) {
            error_ = -errno;
            return;
        }
        page_ = static_cast<std::byte*>(page);
        uring_abi::buf_reg where{};
        where.ring_addr = reinterpret_cast<std::uint64_t>(page_);
        where.ring_entries = count;
        where.bgid = group;
        error_ = ring_.control(register_op::pbuf_ring, &where, 1);
        registered_ = error_ >= 0;
        if (registered_)
            offer();
        else
            is_idle_ = true;
    }
    letter_buffers(const letter_buffers&) = delete;
    letter_buffers& operator=(const letter_buffers&) = delete;
    ~letter_buffers() {
        if (registered_) {
            uring_abi::buf_reg where{};
            where.bgid = group;
            (void)ring_.control(register_op::unregister_pbuf_ring, &where, 1);
        }
        if (page_ && is_idle_) ::munmap(page_, page_size);
    }
    void receive_has_ended() noexcept { is_idle_ = true; }

    int error() const noexcept { return error_ < 0 ? error_ : 0; }
    char letter(unsigned id) const noexcept {
        return id < count ? static_cast<char>(page_[letters + id]) : '\0';
    }

  private:
    static constexpr std::size_t page_size = 65536;  // a page or a multiple, on every architecture
    static constexpr std::size_t letters = 1024;

    void offer() noexcept {
        auto* const slots = reinterpret_cast<uring_abi::buf*>(page_);
        for (unsigned id = 0; id < count; ++id) {
            slots[id].addr = reinterpret_cast<std::uint64_t>(page_ + letters + id);
            slots[id].len = 1;
            slots[id].bid = static_cast<std::uint16_t>(id);
        }
        std::atomic_ref(slots[0].tail)
            .store(static_cast<std::uint16_t>(count), std::memory_order_release);
    }

    trial_ring& ring_;
    std::byte* page_ = nullptr;
    int error_ = 0;
    bool registered_ = false;
    bool is_idle_ = false;
};

// Waits for one letter of a multishot receive, out of a provided buffer.
ring_test_result expect_letter(trial_ring& ring, const letter_buffers& buffers,
                               char letter) noexcept {
    if (const int code = ring.enter(1); code < 0) return failed(code);
    cqe answer{};
    if (!ring.take(answer)) return wrong;
    if (answer.res < 0) return failed(answer.res);
    constexpr std::uint32_t both = uring_abi::cqe_flag::buffer | uring_abi::cqe_flag::more;
    if (answer.res != 1 || (answer.flags & both) != both) return wrong;
    return buffers.letter(answer.flags >> uring_abi::cqe_flag::buffer_shift) == letter ? passed
                                                                                       : wrong;
}

ring_test_result try_multishot_receive(trial_ring& ring) noexcept {
    socket_pair pair;
    if (pair.error) return failed(pair.error);
    letter_buffers buffers(ring);
    if (buffers.error()) return failed(buffers.error());
    sqe& receive = ring.next();
    receive.opcode = op::recv;
    receive.flags = uring_abi::sqe_flag::buffer_select;
    receive.ioprio = uring_abi::recvsend_flag::recv_multishot;
    receive.fd = pair.ends[0];
    receive.buf_group = letter_buffers::group;
    receive.user_data = tag_first;
    for (const char letter : {'u', 'p'}) {
        if (!pair.say(letter)) return failed(-errno);
        if (const auto step = expect_letter(ring, buffers, letter); step.state != outcome::passed)
            return step;
    }
    // The end of the stream ends the source: one last completion, without `more`.
    ::shutdown(pair.ends[1], SHUT_WR);
    if (const int code = ring.enter(1); code < 0) return failed(code);
    cqe last{};
    if (!ring.take(last) || (last.flags & uring_abi::cqe_flag::more)) return wrong;
    buffers.receive_has_ended();
    return last.res == 0 ? passed : last.res < 0 ? failed(last.res) : wrong;
}

ring_test_result try_message(trial_ring& ring, ring_facts& report) noexcept {
    trial_ring sender(report);
    constexpr std::uint32_t entries = 8;
    if (const int code = sender.open(entries, report.setup_flags & ~uring_abi::setup::r_disabled);
        code < 0)
        return failed(code);
    constexpr std::uint32_t payload = 42;
    sqe& message = sender.next();
    message.opcode = op::msg_ring;
    message.fd = ring.fd();
    message.addr = uring_abi::msg_ring_command::data;
    message.off = tag_second;
    message.len = payload;
    message.user_data = tag_first;
    if (const int code = sender.enter(1); code < 0) return failed(code);
    cqe answer{};
    if (!sender.take(answer)) return wrong;
    if (answer.res < 0) return failed(answer.res);
    if (const int code = ring.enter(1); code < 0) return failed(code);
    if (!ring.take(answer)) return wrong;
    return answer.user_data == tag_second && answer.res == static_cast<std::int32_t>(payload)
               ? passed
               : wrong;
}

ring_test_result try_registered_ring(trial_ring& ring) noexcept {
    uring_abi::rsrc_update slot{};
    slot.offset = ~std::uint32_t{0};  // any free index
    slot.data = static_cast<std::uint64_t>(ring.fd());
    if (const int code = ring.control(register_op::ring_fds, &slot, 1); code != 1)
        return code < 0 ? failed(code) : wrong;
    ring.use_registered(static_cast<int>(slot.offset));
    const ring_test_result through_index = try_round_trip(ring);
    ring.use_registered(-1);
    slot.data = 0;
    (void)ring.control(register_op::unregister_ring_fds, &slot, 1);
    return through_index;
}

// What one entry that does nothing comes back with; the ring's own errors likewise.
int outcome_of(trial_ring& ring, decltype(sqe::opcode) opcode) noexcept {
    sqe& entry = ring.next();
    entry.opcode = opcode;
    entry.fd = -1;
    entry.user_data = tag_first;
    if (const int code = ring.enter(1); code < 0) return code;
    cqe answer{};
    return ring.take(answer) ? answer.res : -EBADMSG;
}

ring_test_result try_restrictions(ring_facts& report) noexcept {
    constexpr std::uint32_t entries = 8;
    trial_ring second(report);
    const std::uint32_t flags = report.setup_flags | uring_abi::setup::r_disabled;
    if (const int code = second.open(entries, flags); code < 0) return failed(code);
    uring_abi::restriction only{};
    only.opcode = uring_abi::restriction_kind::sqe_op;
    only.sqe_op = static_cast<std::uint8_t>(op::nop);
    if (const int code = second.control(register_op::restrictions, &only, 1); code < 0)
        return failed(code);
    if (const int code = second.control(register_op::enable_rings, nullptr, 0); code < 0)
        return failed(code);
    if (const int code = outcome_of(second, op::nop); code < 0) return failed(code);
    const int refused = outcome_of(second, op::close);
    if (refused == -EACCES) return passed;
    return refused < 0 && refused != -EBADF ? failed(refused) : wrong;
}

}  // namespace

ring_test_result run_trial(ring_test which, trial_ring& ring, ring_facts& report) noexcept {
    switch (which) {
        case ring_test::enable:
            return try_enable(ring, report);
        case ring_test::round_trip:
            return try_round_trip(ring);
        case ring_test::cancel:
            return try_cancel(ring);
        case ring_test::multishot_receive:
            return try_multishot_receive(ring);
        case ring_test::message:
            return try_message(ring, report);
        case ring_test::registered_ring:
            return try_registered_ring(ring);
        case ring_test::restrictions:
            return try_restrictions(report);
    }
    return {};
}

}  // namespace upcall::host_probe

#endif
