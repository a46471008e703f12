// The numbers of the io_uring kernel interface, Linux 5.1 to 6.18, under names of our own.
//
// They are spelled out here because a distribution's <linux/io_uring.h> may be years older than the
// kernel the program meets. Numbers are never reused by the kernel, so one table fits every
// version; which of them a host knows is found by probing (driver/host.hpp). A trailing number in a
// comment is the kernel version that brought the entry. Sources: io_uring_setup(2),
// io_uring_enter(2), io_uring_register(2).
#pragma once

#include <cstdint>

namespace upcall::uring_abi {

// What a submission asks for (sqe.opcode).
enum class op : std::uint8_t {
    nop = 0,                // 5.1
    readv = 1,              // 5.1
    writev = 2,             // 5.1
    fsync = 3,              // 5.1
    read_fixed = 4,         // 5.1
    write_fixed = 5,        // 5.1
    poll_add = 6,           // 5.1
    poll_remove = 7,        // 5.1
    sync_file_range = 8,    // 5.2
    sendmsg = 9,            // 5.3
    recvmsg = 10,           // 5.3
    timeout = 11,           // 5.4
    timeout_remove = 12,    // 5.5
    accept = 13,            // 5.5
    async_cancel = 14,      // 5.5
    link_timeout = 15,      // 5.5
    connect = 16,           // 5.5
    fallocate = 17,         // 5.6
    openat = 18,            // 5.6
    close = 19,             // 5.6
    files_update = 20,      // 5.6
    statx = 21,             // 5.6
    read = 22,              // 5.6
    write = 23,             // 5.6
    fadvise = 24,           // 5.6
    madvise = 25,           // 5.6
    send = 26,              // 5.6
    recv = 27,              // 5.6
    openat2 = 28,           // 5.6
    epoll_ctl = 29,         // 5.6
    splice = 30,            // 5.7
    provide_buffers = 31,   // 5.7
    remove_buffers = 32,    // 5.7
    tee = 33,               // 5.8
    shutdown = 34,          // 5.11
    renameat = 35,          // 5.11
    unlinkat = 36,          // 5.11
    mkdirat = 37,           // 5.15
    symlinkat = 38,         // 5.15
    linkat = 39,            // 5.15
    msg_ring = 40,          // 5.18
    fsetxattr = 41,         // 5.19
    setxattr = 42,          // 5.19
    fgetxattr = 43,         // 5.19
    getxattr = 44,          // 5.19
    socket = 45,            // 5.19
    uring_cmd = 46,         // 5.19
    send_zc = 47,           // 6.0
    sendmsg_zc = 48,        // 6.1
    read_multishot = 49,    // 6.7
    waitid = 50,            // 6.7
    futex_wait = 51,        // 6.7
    futex_wake = 52,        // 6.7
    futex_waitv = 53,       // 6.7
    fixed_fd_install = 54,  // 6.8
    ftruncate = 55,         // 6.9
    bind = 56,              // 6.11
    listen = 57,            // 6.11
    recv_zc = 58,           // 6.15
    epoll_wait = 59,        // 6.15
    readv_fixed = 60,       // 6.15
    writev_fixed = 61,      // 6.15
    pipe = 62,              // 6.16
};

// How many operations this table names: 0 up to, not including, op_count.
inline constexpr unsigned op_count = 63;

// sqe.flags
namespace sqe_flag {
inline constexpr std::uint8_t fixed_file = 1U << 0;        // 5.1: fd is an index of the file table
inline constexpr std::uint8_t io_drain = 1U << 1;          // 5.2
inline constexpr std::uint8_t io_link = 1U << 2;           // 5.3
inline constexpr std::uint8_t io_hardlink = 1U << 3;       // 5.5
inline constexpr std::uint8_t async = 1U << 4;             // 5.6: straight to a kernel worker
inline constexpr std::uint8_t buffer_select = 1U << 5;     // 5.7: buffer from group buf_group
inline constexpr std::uint8_t cqe_skip_success = 1U << 6;  // 5.17
inline constexpr std::uint8_t all = 0x7f;
}  // namespace sqe_flag

// cqe.flags
namespace cqe_flag {
inline constexpr std::uint32_t buffer = 1U << 0;  // 5.7: the upper half holds a buffer id
inline constexpr std::uint32_t more = 1U << 1;    // 5.13: this submission will complete again
inline constexpr std::uint32_t sock_nonempty = 1U << 2;  // 5.19: the socket held more than was read
inline constexpr std::uint32_t notif = 1U << 3;          // 6.0: a zero-copy buffer is free again
inline constexpr std::uint32_t buf_more = 1U << 4;       // 6.12: the buffer is not used up yet
inline constexpr std::uint32_t skip = 1U << 5;           // 6.18: filler, not a completion
inline constexpr std::uint32_t big = 1U << 15;           // 6.18: this entry has 32 bytes
inline constexpr unsigned buffer_shift = 16;             // buffer id = flags >> buffer_shift
}  // namespace cqe_flag

// params.flags of io_uring_setup
namespace setup {
inline constexpr std::uint32_t iopoll = 1U << 0;               // 5.1
inline constexpr std::uint32_t sqpoll = 1U << 1;               // 5.1
inline constexpr std::uint32_t sq_aff = 1U << 2;               // 5.1
inline constexpr std::uint32_t cqsize = 1U << 3;               // 5.5
inline constexpr std::uint32_t clamp = 1U << 4;                // 5.6
inline constexpr std::uint32_t attach_wq = 1U << 5;            // 5.6
inline constexpr std::uint32_t r_disabled = 1U << 6;           // 5.10
inline constexpr std::uint32_t submit_all = 1U << 7;           // 5.18
inline constexpr std::uint32_t coop_taskrun = 1U << 8;         // 5.19
inline constexpr std::uint32_t taskrun_flag = 1U << 9;         // 5.19, with coop_ or defer_taskrun
inline constexpr std::uint32_t sqe128 = 1U << 10;              // 5.19
inline constexpr std::uint32_t cqe32 = 1U << 11;               // 5.19
inline constexpr std::uint32_t single_issuer = 1U << 12;       // 6.0
inline constexpr std::uint32_t defer_taskrun = 1U << 13;       // 6.1, with single_issuer
inline constexpr std::uint32_t no_mmap = 1U << 14;             // 6.5
inline constexpr std::uint32_t registered_fd_only = 1U << 15;  // 6.5, with no_mmap
inline constexpr std::uint32_t no_sqarray = 1U << 16;          // 6.6
inline constexpr std::uint32_t hybrid_iopoll = 1U << 17;       // 6.13, with iopoll
inline constexpr std::uint32_t cqe_mixed = 1U << 18;           // 6.18, not with cqe32
inline constexpr std::uint32_t all = 0x7ffff;
}  // namespace setup

// params.features, filled in by io_uring_setup
namespace feature {
inline constexpr std::uint32_t single_mmap = 1U << 0;       // 5.4
inline constexpr std::uint32_t nodrop = 1U << 1;            // 5.5
inline constexpr std::uint32_t submit_stable = 1U << 2;     // 5.5
inline constexpr std::uint32_t rw_cur_pos = 1U << 3;        // 5.6
inline constexpr std::uint32_t cur_personality = 1U << 4;   // 5.6
inline constexpr std::uint32_t fast_poll = 1U << 5;         // 5.7
inline constexpr std::uint32_t poll_32bits = 1U << 6;       // 5.9
inline constexpr std::uint32_t sqpoll_nonfixed = 1U << 7;   // 5.11
inline constexpr std::uint32_t ext_arg = 1U << 8;           // 5.11
inline constexpr std::uint32_t native_workers = 1U << 9;    // 5.12
inline constexpr std::uint32_t rsrc_tags = 1U << 10;        // 5.13
inline constexpr std::uint32_t cqe_skip = 1U << 11;         // 5.17
inline constexpr std::uint32_t linked_file = 1U << 12;      // 5.18
inline constexpr std::uint32_t reg_reg_ring = 1U << 13;     // 6.3
inline constexpr std::uint32_t recvsend_bundle = 1U << 14;  // 6.10
inline constexpr std::uint32_t min_timeout = 1U << 15;      // 6.12
inline constexpr std::uint32_t rw_attr = 1U << 16;          // 6.14
inline constexpr std::uint32_t no_iowait = 1U << 17;        // 6.15
inline constexpr std::uint32_t all = 0x3ffff;
}  // namespace feature

// flags of io_uring_enter
namespace enter {
inline constexpr std::uint32_t getevents = 1U << 0;        // 5.1
inline constexpr std::uint32_t sq_wakeup = 1U << 1;        // 5.1
inline constexpr std::uint32_t sq_wait = 1U << 2;          // 5.10
inline constexpr std::uint32_t ext_arg = 1U << 3;          // 5.11: arg is a getevents_arg
inline constexpr std::uint32_t registered_ring = 1U << 4;  // 5.18: fd is an index of ring_fds
inline constexpr std::uint32_t abs_timer = 1U << 5;        // 6.12
inline constexpr std::uint32_t ext_arg_reg = 1U << 6;  // 6.13: arg is a byte offset of a reg_wait
inline constexpr std::uint32_t no_iowait = 1U << 7;    // 6.15
inline constexpr std::uint32_t all = 0xff;
}  // namespace enter

// The word at sq_offsets.flags, written by the kernel.
namespace sq_ring_flag {
inline constexpr std::uint32_t need_wakeup = 1U << 0;  // 5.1: the SQPOLL thread sleeps
inline constexpr std::uint32_t cq_overflow = 1U << 1;  // 5.8: enter(getevents) flushes completions
inline constexpr std::uint32_t taskrun = 1U << 2;      // 5.19: enter(getevents) runs pending work
}  // namespace sq_ring_flag

// The word at cq_offsets.flags, written by the program.
namespace cq_ring_flag {
inline constexpr std::uint32_t eventfd_disabled = 1U << 0;  // 5.8
}

// Offsets for mmap on the ring's descriptor.
namespace map_offset {
inline constexpr std::uint64_t sq_ring = 0;
inline constexpr std::uint64_t cq_ring = 0x8000000;
inline constexpr std::uint64_t sqes = 0x10000000;
inline constexpr std::uint64_t pbuf_ring = 0x80000000;  // 6.4: | group << pbuf_shift
inline constexpr unsigned pbuf_shift = 16;
inline constexpr std::uint64_t mask = 0xf8000000;
}  // namespace map_offset

// What io_uring_register is asked for.
enum class register_op : std::uint32_t {
    buffers = 0,                  // 5.1
    unregister_buffers = 1,       // 5.1
    files = 2,                    // 5.1
    unregister_files = 3,         // 5.1
    eventfd = 4,                  // 5.2
    unregister_eventfd = 5,       // 5.2
    files_update = 6,             // 5.5
    eventfd_async = 7,            // 5.6
    probe = 8,                    // 5.6
    personality = 9,              // 5.6
    unregister_personality = 10,  // 5.6
    restrictions = 11,            // 5.10
    enable_rings = 12,            // 5.10
    files2 = 13,                  // 5.13
    files_update2 = 14,           // 5.13
    buffers2 = 15,                // 5.13
    buffers_update = 16,          // 5.13
    iowq_aff = 17,                // 5.14
    unregister_iowq_aff = 18,     // 5.14
    iowq_max_workers = 19,        // 5.15
    ring_fds = 20,                // 5.18
    unregister_ring_fds = 21,     // 5.18
    pbuf_ring = 22,               // 5.19
    unregister_pbuf_ring = 23,    // 5.19
    sync_cancel = 24,             // 6.0
    file_alloc_range = 25,        // 6.0
    pbuf_status = 26,             // 6.8
    napi = 27,                    // 6.9
    unregister_napi = 28,         // 6.9
    clock = 29,                   // 6.12
    clone_buffers = 30,           // 6.12
    send_msg_ring = 31,           // 6.13
    zcrx_ifq = 32,                // 6.15
    resize_rings = 33,            // 6.13
    mem_region = 34,              // 6.13
    query = 35,                   // 6.18
};

// How many register operations this table names.
inline constexpr unsigned register_op_count = 36;

// Or-ed to a register_op: the descriptor is an index of ring_fds (6.3, feature::reg_reg_ring).
inline constexpr std::uint32_t use_registered_ring = 1U << 31;

// In sqe.file_index: the kernel chooses a free slot and returns it in cqe.res (5.19).
inline constexpr std::uint32_t file_index_alloc = ~std::uint32_t{0};
// In a files_update array: leave this slot as it is.
inline constexpr std::int32_t files_skip = -2;

// sqe.ioprio of accept
namespace accept_flag {
inline constexpr std::uint16_t multishot = 1U << 0;   // 5.19
inline constexpr std::uint16_t dontwait = 1U << 1;    // 6.10
inline constexpr std::uint16_t poll_first = 1U << 2;  // 6.10
}  // namespace accept_flag

// sqe.ioprio of send, recv, sendmsg, recvmsg and their zero-copy forms
namespace recvsend_flag {
inline constexpr std::uint16_t poll_first = 1U << 0;       // 5.19
inline constexpr std::uint16_t recv_multishot = 1U << 1;   // 6.0
inline constexpr std::uint16_t fixed_buf = 1U << 2;        // 6.0
inline constexpr std::uint16_t zc_report_usage = 1U << 3;  // 6.2
inline constexpr std::uint16_t bundle = 1U << 4;           // 6.10
inline constexpr std::uint16_t send_vectorized = 1U << 5;  // 6.17
}  // namespace recvsend_flag

// In the cqe.res of a zero-copy notice asked for by zc_report_usage: the data was copied after all.
inline constexpr std::uint32_t notif_usage_zc_copied = 1U << 31;

// sqe.len of poll_add and poll_remove
namespace poll_flag {
inline constexpr std::uint32_t add_multi = 1U << 0;         // 5.13
inline constexpr std::uint32_t update_events = 1U << 1;     // 5.13
inline constexpr std::uint32_t update_user_data = 1U << 2;  // 5.13
inline constexpr std::uint32_t add_level = 1U << 3;         // 6.0
}  // namespace poll_flag

// sqe.timeout_flags
namespace timeout_flag {
inline constexpr std::uint32_t abs = 1U << 0;            // 5.5
inline constexpr std::uint32_t update = 1U << 1;         // 5.11
inline constexpr std::uint32_t boottime = 1U << 2;       // 5.15
inline constexpr std::uint32_t realtime = 1U << 3;       // 5.15
inline constexpr std::uint32_t link_update = 1U << 4;    // 5.15
inline constexpr std::uint32_t etime_success = 1U << 5;  // 5.16
inline constexpr std::uint32_t multishot = 1U << 6;      // 6.4
}  // namespace timeout_flag

// sqe.cancel_flags, and sync_cancel_reg.flags
namespace cancel_flag {
inline constexpr std::uint32_t all = 1U << 0;       // 5.19: every match, and the result counts them
inline constexpr std::uint32_t fd = 1U << 1;        // 5.19
inline constexpr std::uint32_t any = 1U << 2;       // 5.19
inline constexpr std::uint32_t fd_fixed = 1U << 3;  // 6.0
inline constexpr std::uint32_t user_data = 1U << 4;  // 6.6
inline constexpr std::uint32_t op = 1U << 5;         // 6.6
}  // namespace cancel_flag

// sqe.addr of msg_ring: the command
namespace msg_ring_command {
inline constexpr std::uint64_t data = 0;     // 5.18: post {off as user_data, len as res}
inline constexpr std::uint64_t send_fd = 1;  // 6.0: hand over a direct descriptor
}  // namespace msg_ring_command

// sqe.msg_ring_flags
namespace msg_ring_flag {
inline constexpr std::uint32_t cqe_skip = 1U << 0;    // 6.0: no completion at the target (send_fd)
inline constexpr std::uint32_t flags_pass = 1U << 1;  // 6.3: file_index becomes cqe.flags
}  // namespace msg_ring_flag

// sqe.fsync_flags
inline constexpr std::uint32_t fsync_datasync = 1U << 0;
// sqe.splice_flags, besides those of splice(2)
inline constexpr std::uint32_t splice_fd_in_fixed = 1U << 31;
// sqe.install_fd_flags
inline constexpr std::uint32_t fixed_fd_no_cloexec = 1U << 0;
// sqe.nop_flags: complete with sqe.len as the result (6.10)
inline constexpr std::uint32_t nop_inject_result = 1U << 0;
// sqe.uring_cmd_flags: buf_index names a registered buffer
inline constexpr std::uint32_t uring_cmd_fixed = 1U << 0;
// sqe.attr_type_mask: attr_ptr points to protection information (6.14)
inline constexpr std::uint64_t rw_attr_pi = 1U << 0;

// sqe.cmd_op of uring_cmd on a socket
namespace socket_command {
inline constexpr std::uint32_t siocinq = 0;       // 6.7
inline constexpr std::uint32_t siocoutq = 1;      // 6.7
inline constexpr std::uint32_t getsockopt = 2;    // 6.7
inline constexpr std::uint32_t setsockopt = 3;    // 6.7
inline constexpr std::uint32_t tx_timestamp = 4;  // 6.17
}  // namespace socket_command

// buf_reg.flags
namespace pbuf_flag {
inline constexpr std::uint16_t mmap = 1U << 0;         // 6.4: the kernel allocates the ring
inline constexpr std::uint16_t incremental = 1U << 1;  // 6.12
}  // namespace pbuf_flag

// rsrc_register.flags: all slots start empty (5.19)
inline constexpr std::uint32_t rsrc_register_sparse = 1U << 0;
// probe_op.flags
inline constexpr std::uint16_t probe_op_supported = 1U << 0;
// reg_wait.flags: ts holds a timeout
inline constexpr std::uint32_t reg_wait_ts = 1U << 0;
// region_desc.flags: user_addr holds memory of the program
inline constexpr std::uint32_t mem_region_user = 1U << 0;
// mem_region_reg.flags: the region holds reg_wait slots
inline constexpr std::uint64_t mem_region_wait_args = 1U << 0;
// clone_buffers.flags
inline constexpr std::uint32_t clone_source_registered = 1U << 0;
inline constexpr std::uint32_t clone_replace = 1U << 1;

// restriction.opcode
namespace restriction_kind {
inline constexpr std::uint16_t register_op = 0;
inline constexpr std::uint16_t sqe_op = 1;
inline constexpr std::uint16_t sqe_flags_allowed = 2;
inline constexpr std::uint16_t sqe_flags_required = 3;
}  // namespace restriction_kind

// query_header.query_op
inline constexpr std::uint32_t query_opcodes_op = 0;

}  // namespace upcall::uring_abi
