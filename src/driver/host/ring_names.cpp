// The names under which the kernel's documentation knows what a ring can do, by number.
#include <upcall/driver/host_ring.hpp>

#include <cstddef>
#include <span>

#include "driver/uring/abi_numbers.hpp"

namespace upcall {
namespace {

struct named {
    std::string_view name;
    std::string_view since;
};

constexpr named setup_names[] = {
    {"IOPOLL", "5.1"},        {"SQPOLL", "5.1"},
    {"SQ_AFF", "5.1"},        {"CQSIZE", "5.5"},
    {"CLAMP", "5.6"},         {"ATTACH_WQ", "5.6"},
    {"R_DISABLED", "5.10"},   {"SUBMIT_ALL", "5.18"},
    {"COOP_TASKRUN", "5.19"}, {"TASKRUN_FLAG", "5.19"},
    {"SQE128", "5.19"},       {"CQE32", "5.19"},
    {"SINGLE_ISSUER", "6.0"}, {"DEFER_TASKRUN", "6.1"},
    {"NO_MMAP", "6.5"},       {"REGISTERED_FD_ONLY", "6.5"},
    {"NO_SQARRAY", "6.6"},    {"HYBRID_IOPOLL", "6.13"},
    {"CQE_MIXED", "6.18"},
};
constexpr named feature_names[] = {
    {"SINGLE_MMAP", "5.4"},     {"NODROP", "5.5"},           {"SUBMIT_STABLE", "5.5"},
    {"RW_CUR_POS", "5.6"},      {"CUR_PERSONALITY", "5.6"},  {"FAST_POLL", "5.7"},
    {"POLL_32BITS", "5.9"},     {"SQPOLL_NONFIXED", "5.11"}, {"EXT_ARG", "5.11"},
    {"NATIVE_WORKERS", "5.12"}, {"RSRC_TAGS", "5.13"},       {"CQE_SKIP", "5.17"},
    {"LINKED_FILE", "5.18"},    {"REG_REG_RING", "6.3"},     {"RECVSEND_BUNDLE", "6.10"},
    {"MIN_TIMEOUT", "6.12"},    {"RW_ATTR", "6.14"},         {"NO_IOWAIT", "6.15"},
};
constexpr named enter_names[] = {
    {"GETEVENTS", "5.1"},    {"SQ_WAKEUP", "5.1"},        {"SQ_WAIT", "5.10"},
    {"EXT_ARG", "5.11"},     {"REGISTERED_RING", "5.18"}, {"ABS_TIMER", "6.12"},
    {"EXT_ARG_REG", "6.13"}, {"NO_IOWAIT", "6.15"},
};
constexpr named opcode_names[] = {
    {"NOP", "5.1"},
    {"READV", "5.1"},
    {"WRITEV", "5.1"},
    {"FSYNC", "5.1"},
    {"READ_FIXED", "5.1"},
    {"WRITE_FIXED", "5.1"},
    {"POLL_ADD", "5.1"},
    {"POLL_REMOVE", "5.1"},
    {"SYNC_FILE_RANGE", "5.2"},
    {"SENDMSG", "5.3"},
    {"RECVMSG", "5.3"},
    {"TIMEOUT", "5.4"},
    {"TIMEOUT_REMOVE", "5.5"},
    {"ACCEPT", "5.5"},
    {"ASYNC_CANCEL", "5.5"},
    {"LINK_TIMEOUT", "5.5"},
    {"CONNECT", "5.5"},
    {"FALLOCATE", "5.6"},
    {"OPENAT", "5.6"},
    {"CLOSE", "5.6"},
    {"FILES_UPDATE", "5.6"},
    {"STATX", "5.6"},
    {"READ", "5.6"},
    {"WRITE", "5.6"},
    {"FADVISE", "5.6"},
    {"MADVISE", "5.6"},
    {"SEND", "5.6"},
    {"RECV", "5.6"},
    {"OPENAT2", "5.6"},
    {"EPOLL_CTL", "5.6"},
    {"SPLICE", "5.7"},
    {"PROVIDE_BUFFERS", "5.7"},
    {"REMOVE_BUFFERS", "5.7"},
    {"TEE", "5.8"},
    {"SHUTDOWN", "5.11"},
    {"RENAMEAT", "5.11"},
    {"UNLINKAT", "5.11"},
    {"MKDIRAT", "5.15"},
    {"SYMLINKAT", "5.15"},
    {"LINKAT", "5.15"},
    {"MSG_RING", "5.18"},
    {"FSETXATTR", "5.19"},
    {"SETXATTR", "5.19"},
    {"FGETXATTR", "5.19"},
    {"GETXATTR", "5.19"},
    {"SOCKET", "5.19"},
    {"URING_CMD", "5.19"},
    {"SEND_ZC", "6.0"},
    {"SENDMSG_ZC", "6.1"},
    {"READ_MULTISHOT", "6.7"},
    {"WAITID", "6.7"},
    {"FUTEX_WAIT", "6.7"},
    {"FUTEX_WAKE", "6.7"},
    {"FUTEX_WAITV", "6.7"},
    {"FIXED_FD_INSTALL", "6.8"},
    {"FTRUNCATE", "6.9"},
    {"BIND", "6.11"},
    {"LISTEN", "6.11"},
    {"RECV_ZC", "6.15"},
    {"EPOLL_WAIT", "6.15"},
    {"READV_FIXED", "6.15"},
    {"WRITEV_FIXED", "6.15"},
    {"PIPE", "6.16"},
};
constexpr named register_names[] = {
    {"BUFFERS", "5.1"},
    {"UNREGISTER_BUFFERS", "5.1"},
    {"FILES", "5.1"},
    {"UNREGISTER_FILES", "5.1"},
    {"EVENTFD", "5.2"},
    {"UNREGISTER_EVENTFD", "5.2"},
    {"FILES_UPDATE", "5.5"},
    {"EVENTFD_ASYNC", "5.6"},
    {"PROBE", "5.6"},
    {"PERSONALITY", "5.6"},
    {"UNREGISTER_PERSONALITY", "5.6"},
    {"RESTRICTIONS", "5.10"},
    {"ENABLE_RINGS", "5.10"},
    {"FILES2", "5.13"},
    {"FILES_UPDATE2", "5.13"},
    {"BUFFERS2", "5.13"},
    {"BUFFERS_UPDATE", "5.13"},
    {"IOWQ_AFF", "5.14"},
    {"UNREGISTER_IOWQ_AFF", "5.14"},
    {"IOWQ_MAX_WORKERS", "5.15"},
    {"RING_FDS", "5.18"},
    {"UNREGISTER_RING_FDS", "5.18"},
    {"PBUF_RING", "5.19"},
    {"UNREGISTER_PBUF_RING", "5.19"},
    {"SYNC_CANCEL", "6.0"},
    {"FILE_ALLOC_RANGE", "6.0"},
    {"PBUF_STATUS", "6.8"},
    {"NAPI", "6.9"},
    {"UNREGISTER_NAPI", "6.9"},
    {"CLOCK", "6.12"},
    {"CLONE_BUFFERS", "6.12"},
    {"SEND_MSG_RING", "6.13"},
    {"ZCRX_IFQ", "6.15"},
    {"RESIZE_RINGS", "6.13"},
    {"MEM_REGION", "6.13"},
    {"QUERY", "6.18"},
};

static_assert(std::size(opcode_names) == uring_abi::op_count);
static_assert(std::size(register_names) == uring_abi::register_op_count);
static_assert((1U << std::size(setup_names)) - 1 == uring_abi::setup::all);
static_assert((1U << std::size(feature_names)) - 1 == uring_abi::feature::all);
static_assert((1U << std::size(enter_names)) - 1 == uring_abi::enter::all);

std::vector<capability> list(std::span<const named> names, const capability_set& set) {
    std::vector<capability> all;
    all.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
        all.push_back({names[i].name, names[i].since, set[i]});
    return all;
}

}  // namespace

std::vector<capability> ring_setup_flags(const ring_facts& ring) {
    return list(setup_names, ring.setup);
}
std::vector<capability> ring_features(const ring_facts& ring) {
    return list(feature_names, ring.features);
}
std::vector<capability> ring_enter_flags(const ring_facts& ring) {
    return list(enter_names, ring.enter);
}
std::vector<capability> ring_opcodes(const ring_facts& ring) {
    return list(opcode_names, ring.opcodes);
}
std::vector<capability> ring_register_operations(const ring_facts& ring) {
    return list(register_names, ring.register_operations);
}

bool ring_facts::is_usable() const noexcept {
    using outcome = ring_test_result::outcome;
    if (!(setup_flags & uring_abi::setup::defer_taskrun)) return false;
    for (const ring_test needed : {ring_test::enable, ring_test::round_trip, ring_test::cancel})
        if ((*this)[needed].state != outcome::passed) return false;
    return true;
}

}  // namespace upcall
