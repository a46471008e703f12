// The memory layout of the io_uring kernel interface, Linux 5.1 to 6.18, under names of our own.
//
// The interface grows only into reserved fields, which must be zero: fill a value-initialised
// structure (`sqe{}`), never a stale one. The first member of every union spans it, so value
// initialisation clears all bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "driver/uring/abi_numbers.hpp"

namespace upcall::uring_abi {

// A submission queue entry. Which member of a union counts depends on the opcode.
struct sqe {
    op opcode;
    std::uint8_t flags;  // sqe_flag
    std::uint16_t
        ioprio;  // priority of file operations; accept_flag or recvsend_flag of socket ones
    std::int32_t fd;
    union {
        std::uint64_t off;  // file offset; ~0 is the file's own position
        std::uint64_t addr2;
        std::uint32_t cmd_op;  // uring_cmd
    };
    union {
        std::uint64_t addr;
        std::uint64_t splice_off_in;
        struct {
            std::uint32_t level;
            std::uint32_t name;
        } socket_option;  // uring_cmd with getsockopt or setsockopt
    };
    std::uint32_t len;
    union {
        std::uint32_t op_flags;
        std::uint32_t rw_flags;
        std::uint32_t fsync_flags;
        std::uint32_t poll32_events;
        std::uint32_t sync_range_flags;
        std::uint32_t msg_flags;
        std::uint32_t timeout_flags;
        std::uint32_t accept_flags;
        std::uint32_t cancel_flags;
        std::uint32_t open_flags;
        std::uint32_t statx_flags;
        std::uint32_t fadvise_advice;
        std::uint32_t splice_flags;
        std::uint32_t rename_flags;
        std::uint32_t unlink_flags;
        std::uint32_t hardlink_flags;
        std::uint32_t xattr_flags;
        std::uint32_t msg_ring_flags;
        std::uint32_t uring_cmd_flags;
        std::uint32_t waitid_flags;
        std::uint32_t futex_flags;
        std::uint32_t install_fd_flags;
        std::uint32_t nop_flags;
        std::uint32_t pipe_flags;
    };
    std::uint64_t user_data;
    union {
        std::uint16_t buf_index;
        std::uint16_t buf_group;
    };
    std::uint16_t personality;
    union {
        std::uint32_t file_index;  // slot + 1, or file_index_alloc; 0 asks for a plain descriptor
        std::int32_t splice_fd_in;
        std::uint32_t zcrx_ifq_idx;
        std::uint32_t optlen;  // uring_cmd with a socket option; byte limit of a multishot receive
        std::uint16_t addr_len;  // send to an address
    };
    union {
        std::uint64_t addr3;
        std::uint64_t attr_ptr;
        std::uint64_t optval;
    };
    union {
        std::uint64_t pad;
        std::uint64_t attr_type_mask;
    };
};
static_assert(sizeof(sqe) == 64 && alignof(sqe) == 8);
static_assert(offsetof(sqe, opcode) == 0 && offsetof(sqe, flags) == 1);
static_assert(offsetof(sqe, ioprio) == 2 && offsetof(sqe, fd) == 4);
static_assert(offsetof(sqe, off) == 8 && offsetof(sqe, addr) == 16 && offsetof(sqe, len) == 24);
static_assert(offsetof(sqe, op_flags) == 28 && offsetof(sqe, user_data) == 32);
static_assert(offsetof(sqe, buf_index) == 40 && offsetof(sqe, personality) == 42);
static_assert(offsetof(sqe, file_index) == 44 && offsetof(sqe, addr3) == 48);
static_assert(offsetof(sqe, pad) == 56);

// A completion queue entry of 16 bytes. With setup::cqe32 each is followed by 16 bytes more; with
// setup::cqe_mixed those marked cqe_flag::big are.
struct cqe {
    std::uint64_t user_data;
    std::int32_t res;
    std::uint32_t flags;  // cqe_flag
};
static_assert(sizeof(cqe) == 16 && offsetof(cqe, res) == 8 && offsetof(cqe, flags) == 12);

// Where the parts of the submission ring lie in its mapping.
struct sq_offsets {
    std::uint32_t head;
    std::uint32_t tail;
    std::uint32_t ring_mask;
    std::uint32_t ring_entries;
    std::uint32_t flags;  // the word of sq_ring_flag
    std::uint32_t dropped;
    std::uint32_t array;  // 0 with setup::no_sqarray
    std::uint32_t reserved;
    std::uint64_t user_addr;  // setup::no_mmap: memory for the entries
};
static_assert(sizeof(sq_offsets) == 40 && offsetof(sq_offsets, user_addr) == 32);

// Where the parts of the completion ring lie in its mapping.
struct cq_offsets {
    std::uint32_t head;
    std::uint32_t tail;
    std::uint32_t ring_mask;
    std::uint32_t ring_entries;
    std::uint32_t overflow;
    std::uint32_t cqes;
    std::uint32_t flags;  // the word of cq_ring_flag
    std::uint32_t reserved;
    std::uint64_t user_addr;  // setup::no_mmap: memory for both rings
};
static_assert(sizeof(cq_offsets) == 40 && offsetof(cq_offsets, cqes) == 20);

// In and out argument of io_uring_setup.
struct params {
    std::uint32_t sq_entries;
    std::uint32_t cq_entries;
    std::uint32_t flags;  // setup
    std::uint32_t sq_thread_cpu;
    std::uint32_t sq_thread_idle;  // milliseconds
    std::uint32_t features;        // feature
    std::uint32_t wq_fd;
    std::uint32_t reserved[3];
    sq_offsets sq_off;
    cq_offsets cq_off;
};
static_assert(sizeof(params) == 120 && offsetof(params, features) == 20);
static_assert(offsetof(params, sq_off) == 40 && offsetof(params, cq_off) == 80);

// The kernel's 64-bit timespec, the same on 32-bit systems.
struct kernel_timespec {
    std::int64_t tv_sec;
    std::int64_t tv_nsec;
};
static_assert(sizeof(kernel_timespec) == 16);

// Argument of io_uring_enter with enter::ext_arg.
struct getevents_arg {
    std::uint64_t sigmask;
    std::uint32_t sigmask_sz;
    std::uint32_t min_wait_usec;  // 6.12
    std::uint64_t ts;             // kernel_timespec const*
};
static_assert(sizeof(getevents_arg) == 24 && offsetof(getevents_arg, ts) == 16);

// One slot of a registered wait region, for enter::ext_arg_reg.
struct reg_wait {
    kernel_timespec ts;
    std::uint32_t min_wait_usec;
    std::uint32_t flags;  // reg_wait_ts
    std::uint64_t sigmask;
    std::uint32_t sigmask_sz;
    std::uint32_t reserved[3];
    std::uint64_t reserved2[2];
};
static_assert(sizeof(reg_wait) == 64 && offsetof(reg_wait, sigmask) == 24);

// Describes shared memory, for register_op::mem_region (and the rings of resize).
struct region_desc {
    std::uint64_t user_addr;
    std::uint64_t size;
    std::uint32_t flags;  // mem_region_user
    std::uint32_t id;
    std::uint64_t mmap_offset;
    std::uint64_t reserved[4];
};
static_assert(sizeof(region_desc) == 64 && offsetof(region_desc, mmap_offset) == 24);

// Argument of register_op::mem_region.
struct mem_region_reg {
    std::uint64_t region;  // region_desc*
    std::uint64_t flags;   // mem_region_wait_args
    std::uint64_t reserved[2];
};
static_assert(sizeof(mem_region_reg) == 32);

// One entry of a provided buffer ring. The ring's tail lies over `tail` of entry 0; in every other
// entry that field is unused, so filling an entry must leave it alone.
struct buf {
    std::uint64_t addr;
    std::uint32_t len;
    std::uint16_t bid;
    std::uint16_t tail;
};
static_assert(sizeof(buf) == 16 && offsetof(buf, bid) == 12 && offsetof(buf, tail) == 14);

// Argument of register_op::pbuf_ring and unregister_pbuf_ring.
struct buf_reg {
    std::uint64_t ring_addr;     // page-aligned; 0 with pbuf_flag::mmap
    std::uint32_t ring_entries;  // a power of two, at most 32768
    std::uint16_t bgid;
    std::uint16_t flags;  // pbuf_flag
    std::uint64_t reserved[3];
};
static_assert(sizeof(buf_reg) == 40 && offsetof(buf_reg, bgid) == 12);

// Argument of register_op::pbuf_status.
struct buf_status {
    std::uint32_t buf_group;
    std::uint32_t head;
    std::uint32_t reserved[8];
};
static_assert(sizeof(buf_status) == 40);

// Argument of register_op::files2 and buffers2.
struct rsrc_register {
    std::uint32_t nr;
    std::uint32_t flags;  // rsrc_register_sparse
    std::uint64_t reserved;
    std::uint64_t data;
    std::uint64_t tags;
};
static_assert(sizeof(rsrc_register) == 32 && offsetof(rsrc_register, data) == 16);

// Argument of register_op::files_update, ring_fds and unregister_ring_fds.
struct rsrc_update {
    std::uint32_t offset;
    std::uint32_t reserved;
    std::uint64_t data;
};
static_assert(sizeof(rsrc_update) == 16);

// Argument of register_op::files_update2 and buffers_update.
struct rsrc_update2 {
    std::uint32_t offset;
    std::uint32_t reserved;
    std::uint64_t data;
    std::uint64_t tags;
    std::uint32_t nr;
    std::uint32_t reserved2;
};
static_assert(sizeof(rsrc_update2) == 32 && offsetof(rsrc_update2, nr) == 24);

// Argument of register_op::sync_cancel.
struct sync_cancel_reg {
    std::uint64_t addr;
    std::int32_t fd;
    std::uint32_t flags;  // cancel_flag
    kernel_timespec timeout;
    std::uint8_t opcode;
    std::uint8_t reserved[7];
    std::uint64_t reserved2[3];
};
static_assert(sizeof(sync_cancel_reg) == 64 && offsetof(sync_cancel_reg, opcode) == 32);

// Argument of register_op::file_alloc_range.
struct file_index_range {
    std::uint32_t off;
    std::uint32_t len;
    std::uint64_t reserved;
};
static_assert(sizeof(file_index_range) == 16);

// Argument of register_op::napi and unregister_napi.
struct napi_reg {
    std::uint32_t busy_poll_usec;
    std::uint8_t prefer_busy_poll;
    std::uint8_t op;  // 6.13
    std::uint8_t reserved[2];
    std::uint32_t op_param;  // 6.13
    std::uint32_t reserved2;
};
static_assert(sizeof(napi_reg) == 16);

// Argument of register_op::clock; nr_args is 0.
struct clock_reg {
    std::uint32_t clockid;
    std::uint32_t reserved[3];
};
static_assert(sizeof(clock_reg) == 16);

// Argument of register_op::clone_buffers.
struct clone_buffers {
    std::uint32_t src_fd;
    std::uint32_t flags;  // clone_source_registered, clone_replace
    std::uint32_t src_off;
    std::uint32_t dst_off;
    std::uint32_t nr;
    std::uint32_t reserved[3];
};
static_assert(sizeof(clone_buffers) == 32);

// One rule of register_op::restrictions.
struct restriction {
    std::uint16_t opcode;  // restriction_kind
    union {
        std::uint8_t value;
        std::uint8_t register_op;
        std::uint8_t sqe_op;
        std::uint8_t sqe_flags;
    };
    std::uint8_t reserved;
    std::uint32_t reserved2[3];
};
static_assert(sizeof(restriction) == 16 && offsetof(restriction, value) == 2);

// What the kernel says about one opcode.
struct probe_op {
    std::uint8_t op;
    std::uint8_t reserved;
    std::uint16_t flags;  // probe_op_supported
    std::uint32_t reserved2;
};
static_assert(sizeof(probe_op) == 8);

// Argument of register_op::probe, with room for every opcode there can be; nr_args is probe_room.
inline constexpr unsigned probe_room = 256;
struct probe {
    std::uint8_t last_op;
    std::uint8_t ops_len;
    std::uint16_t reserved;
    std::uint32_t reserved2[3];
    probe_op ops[probe_room];
};
static_assert(offsetof(probe, ops) == 16 && sizeof(probe) == 16 + 8 * probe_room);

// Head of one question to register_op::query. Questions are chained through next_entry.
struct query_header {
    std::uint64_t next_entry;  // query_header*
    std::uint64_t query_data;  // structure of query_op
    std::uint32_t query_op;
    std::uint32_t size;   // of query_data; the kernel writes back how much it filled
    std::int32_t result;  // 0 or -errno
    std::uint32_t reserved[3];
};
static_assert(sizeof(query_header) == 40 && offsetof(query_header, result) == 24);

// The answer to query_opcodes_op: what this kernel supports, no ring needed.
struct query_opcodes {
    std::uint32_t request_opcodes;   // count of op
    std::uint32_t register_opcodes;  // count of register_op
    std::uint64_t features;          // feature
    std::uint64_t setup_flags;       // setup
    std::uint64_t enter_flags;       // enter
    std::uint64_t sqe_flags;         // sqe_flag
    std::uint32_t query_opcodes;     // after 6.18
    std::uint32_t reserved;
};
static_assert(sizeof(query_opcodes) == 48 && offsetof(query_opcodes, sqe_flags) == 32);

// Put by the kernel before the payload of a multishot recvmsg.
struct recvmsg_out {
    std::uint32_t namelen;
    std::uint32_t controllen;
    std::uint32_t payloadlen;
    std::uint32_t flags;
};
static_assert(sizeof(recvmsg_out) == 16);

// Protection information, named by sqe.attr_ptr with rw_attr_pi.
struct attr_pi {
    std::uint16_t flags;
    std::uint16_t app_tag;
    std::uint32_t len;
    std::uint64_t addr;
    std::uint64_t seed;
    std::uint64_t reserved;
};
static_assert(sizeof(attr_pi) == 32);

}  // namespace upcall::uring_abi
