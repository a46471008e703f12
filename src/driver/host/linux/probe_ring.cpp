#include "driver/host/linux/probe_ring.hpp"

#if defined(__linux__)

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "driver/host/linux/ring_trials.hpp"
#include "driver/host/linux/trial_ring.hpp"

namespace upcall::host_probe {
namespace {

namespace setup = uring_abi::setup;
namespace feature = uring_abi::feature;
namespace enter = uring_abi::enter;
using uring_abi::register_op;

unsigned bit_of(std::uint64_t flag) noexcept {
    return static_cast<unsigned>(std::countr_zero(flag));
}

void set_mask(capability_set& set, std::uint64_t mask) noexcept {
    for (unsigned bit = 0; bit < 64; ++bit) set.set(bit, (mask >> bit & 1) != 0);
}

// Kernels from 6.18 say what they support before there is a ring.
void probe_query(ring_facts& report) noexcept {
    uring_abi::query_opcodes answer{};
    uring_abi::query_header question{};
    question.query_data = reinterpret_cast<std::uint64_t>(&answer);
    question.query_op = uring_abi::query_opcodes_op;
    question.size = sizeof answer;
    mark_call(report, "io_uring_register");
    const int code = uring_abi::sys_register(-1, register_op::query, &question, 0);
    report.query_error = code < 0 ? -code : question.result < 0 ? -question.result : 0;
    if (report.query_error) return;
    for (unsigned i = 0; i < capability_set::size; ++i) {
        report.opcodes.set(i, i < answer.request_opcodes);
        report.register_operations.set(i, i < answer.register_opcodes);
    }
    set_mask(report.setup, answer.setup_flags);
    set_mask(report.features, answer.features);
    set_mask(report.enter, answer.enter_flags);
    set_mask(report.sqe, answer.sqe_flags);
}

// The profile of the `uring` driver, then what is left of it on ever older kernels.
constexpr std::uint32_t profiles[] = {
    setup::r_disabled | setup::single_issuer | setup::defer_taskrun | setup::taskrun_flag |
        setup::submit_all | setup::clamp | setup::cqsize | setup::no_sqarray,
    setup::r_disabled | setup::single_issuer | setup::defer_taskrun | setup::taskrun_flag |
        setup::submit_all | setup::clamp | setup::cqsize,
    setup::r_disabled | setup::single_issuer | setup::coop_taskrun | setup::taskrun_flag |
        setup::submit_all | setup::clamp | setup::cqsize,
    setup::r_disabled | setup::coop_taskrun | setup::taskrun_flag | setup::submit_all |
        setup::clamp | setup::cqsize,
    setup::r_disabled | setup::clamp | setup::cqsize,
    setup::clamp | setup::cqsize,
    0,
};
constexpr std::uint32_t sizes[] = {ring_facts::entries_asked, 64, 16, 4};

// EINVAL asks for an older profile, ENOMEM for a smaller ring; all else is final.
int open_best(trial_ring& ring, ring_facts& report) noexcept {
    int code = -EINVAL;
    for (const std::uint32_t profile : profiles) {
        for (const std::uint32_t size : sizes) {
            code = ring.open(size, profile);
            if (code == 0) {
                report.setup_flags = profile;
                report.entries = ring.entries();
                return 0;
            }
            if (code != -ENOMEM) break;
        }
        if (code != -EINVAL) break;
    }
    return code;
}

// Which flags a kernel takes that cannot be asked. Those not in the ring that it took are tried,
// each with the companions it needs.
void try_setup_flags(ring_facts& report) noexcept {
    struct trial {
        std::uint32_t flag;
        std::uint32_t companions;
    };
    constexpr trial trials[] = {
        {setup::iopoll, 0},
        {setup::cqsize, 0},
        {setup::clamp, 0},
        {setup::r_disabled, 0},
        {setup::submit_all, 0},
        {setup::coop_taskrun, 0},
        {setup::taskrun_flag, setup::coop_taskrun},
        {setup::sqe128, 0},
        {setup::cqe32, 0},
        {setup::single_issuer, 0},
        {setup::defer_taskrun, setup::single_issuer},
        {setup::no_sqarray, 0},
        {setup::hybrid_iopoll, setup::iopoll},
        {setup::cqe_mixed, 0},
    };
    for (const trial& each : trials) {
        if (report.setup_flags & each.flag) {
            report.setup.set(bit_of(each.flag), true);
            continue;
        }
        uring_abi::params parameters{};
        parameters.flags = each.flag | each.companions;
        parameters.cq_entries = 8;
        mark_call(report, "io_uring_setup");
        const int fd = uring_abi::sys_setup(4, &parameters);
        if (fd >= 0) ::close(fd);
        if (fd >= 0 || fd == -EINVAL) report.setup.set(bit_of(each.flag), fd >= 0);
    }
}

void read_features(ring_facts& report, std::uint32_t bits) noexcept {
    for (unsigned i = 0; i < 32; ++i) report.features.set(i, (bits >> i & 1) != 0);
    if (report.query_error == 0) return;
    // Enter and entry flags that stand or fall with a feature bit.
    report.enter.set(bit_of(enter::getevents), true);
    report.enter.set(bit_of(enter::ext_arg), (bits & feature::ext_arg) != 0);
    report.enter.set(bit_of(enter::no_iowait), (bits & feature::no_iowait) != 0);
    report.sqe.set(bit_of(uring_abi::sqe_flag::cqe_skip_success), (bits & feature::cqe_skip) != 0);
}

void probe_opcodes(trial_ring& ring, ring_facts& report) noexcept {
    uring_abi::probe answer{};
    const int code = ring.control(register_op::probe, &answer, uring_abi::probe_room);
    report.probe_error = code < 0 ? -code : 0;
    if (code < 0) return;
    const unsigned count = std::min<unsigned>(answer.ops_len, uring_abi::probe_room);
    for (unsigned i = 0; i < capability_set::size; ++i) report.opcodes.set(i, false);
    for (unsigned i = 0; i < count; ++i)
        report.opcodes.set(answer.ops[i].op,
                           (answer.ops[i].flags & uring_abi::probe_op_supported) != 0);
}

// ENOENT and EBUSY come from an operation that was understood, EINVAL from one that was not. A
// refusal tells nothing about the kernel.
void note_register(ring_facts& report, register_op what, int code) noexcept {
    const bool understood = code >= 0 || code == -ENOENT || code == -EBUSY;
    if (understood || code == -EINVAL)
        report.register_operations.set(static_cast<unsigned>(what), understood);
}

// The register operations that the driver uses and that can be tried without lasting effect.
void try_register_operations(trial_ring& ring, ring_facts& report) noexcept {
    note_register(report, register_op::probe, report.probe_error ? -report.probe_error : 0);

    std::uint32_t workers[2] = {0, 0};  // zeroes only read the present limits
    note_register(report, register_op::iowq_max_workers,
                  ring.control(register_op::iowq_max_workers, workers, 2));

    uring_abi::rsrc_register sparse{};
    sparse.nr = 1;
    sparse.flags = uring_abi::rsrc_register_sparse;
    int code = ring.control(register_op::files2, &sparse, sizeof sparse);
    note_register(report, register_op::files2, code);
    if (code >= 0) (void)ring.control(register_op::unregister_files, nullptr, 0);
    code = ring.control(register_op::buffers2, &sparse, sizeof sparse);
    note_register(report, register_op::buffers2, code);
    if (code >= 0) (void)ring.control(register_op::unregister_buffers, nullptr, 0);

    uring_abi::sync_cancel_reg nothing{};
    nothing.addr = ~std::uint64_t{0};
    nothing.fd = -1;
    nothing.timeout = {-1, -1};
    note_register(report, register_op::sync_cancel,
                  ring.control(register_op::sync_cancel, &nothing, 1));

    uring_abi::clock_reg clock{};
    clock.clockid = CLOCK_MONOTONIC;
    note_register(report, register_op::clock, ring.control(register_op::clock, &clock, 0));
}

// A trial that passed shows that what it used is there; one that failed may have other causes.
void learn_from_tests(ring_facts& report) noexcept {
    using outcome = ring_test_result::outcome;
    const auto learn = [&](ring_test test, capability_set& set, unsigned index) {
        if (report[test].state == outcome::passed) set.set(index, true);
    };
    const auto number = [](register_op what) { return static_cast<unsigned>(what); };
    learn(ring_test::enable, report.register_operations, number(register_op::enable_rings));
    learn(ring_test::multishot_receive, report.register_operations, number(register_op::pbuf_ring));
    learn(ring_test::multishot_receive, report.sqe, bit_of(uring_abi::sqe_flag::buffer_select));
    learn(ring_test::registered_ring, report.register_operations, number(register_op::ring_fds));
    learn(ring_test::restrictions, report.register_operations, number(register_op::restrictions));
    learn(ring_test::registered_ring, report.enter, bit_of(enter::registered_ring));
}

// Where a disabled ring cannot be enabled, a plain one still tells whether enter works.
void try_without_register(ring_facts& report) noexcept {
    trial_ring plain(report);
    if (plain.open(sizes[3], report.setup_flags & ~setup::r_disabled) == 0 && plain.is_mapped())
        report.tests[static_cast<std::size_t>(ring_test::round_trip)] =
            run_trial(ring_test::round_trip, plain, report);
}

// A trial that failed may leave things in flight: the next one gets a ring of its own.
bool reopen(trial_ring& ring, ring_facts& report) noexcept {
    ring.close();
    return ring.open(report.entries, report.setup_flags) == 0 &&
           run_trial(ring_test::enable, ring, report).state != ring_test_result::outcome::failed;
}

void run_trials(trial_ring& ring, ring_facts& report) noexcept {
    using outcome = ring_test_result::outcome;
    for (std::size_t i = 0; i < ring_test_count; ++i) {
        const auto which = static_cast<ring_test>(i);
        report.tests[i] = run_trial(which, ring, report);
        if (report.tests[i].state != outcome::failed) continue;
        if (which == ring_test::enable) return try_without_register(report);
        if (which == ring_test::round_trip || !reopen(ring, report)) return;
    }
}

}  // namespace

void probe_ring(ring_facts& report) noexcept {
    report.tried = true;
    probe_query(report);
    trial_ring ring(report);
    if (const int code = open_best(ring, report); code < 0) {
        report.setup_error = -code;
        return;
    }
    read_features(report, ring.features());
    // Waiting with a time limit came with EXT_ARG (5.11); without it a trial might never end.
    if (ring.is_mapped() && (ring.features() & feature::ext_arg)) {
        probe_opcodes(ring, report);
        run_trials(ring, report);
    }
    if (report.query_error) {
        try_setup_flags(report);
        if (ring.is_mapped()) try_register_operations(ring, report);
        learn_from_tests(report);
    }
    mark_call(report, "");
}

}  // namespace upcall::host_probe

#endif
