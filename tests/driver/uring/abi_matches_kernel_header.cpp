// upcall's own table of the io_uring interface agrees with the kernel's header, as far as the
// header of the building host knows it, and with the running kernel where that can be asked.
#if defined(__linux__) && __has_include(<linux/io_uring.h>)

#include <gtest/gtest.h>
#include <linux/io_uring.h>

#include <cstring>
#include <type_traits>

#include "driver/uring/abi.hpp"

namespace uabi = upcall::uring_abi;

namespace {

template <class Ours, class Theirs>
void expect_same(char const* name, Ours ours, Theirs theirs) {
    EXPECT_EQ(static_cast<unsigned long long>(ours), static_cast<unsigned long long>(theirs))
        << name;
}

template <class Ours>
void expect_op(char const* name, Ours ours, int theirs) {
    EXPECT_EQ(static_cast<int>(ours), theirs) << name;
}

template <class Member>
constexpr std::size_t size_of_member = sizeof(std::remove_reference_t<Member>);

#define SAME(ours, theirs) expect_same(#theirs, uabi::ours, theirs)
#define SAME_OP(ours, theirs) expect_op(#theirs, uabi::ours, theirs)
#define SAME_SIZE(ours, theirs) EXPECT_EQ(sizeof(uabi::ours), sizeof(theirs)) << #theirs
// Same place and same width.
#define SAME_MEMBER(ours, our_member, theirs, their_member)                                       \
    EXPECT_EQ(offsetof(uabi::ours, our_member), offsetof(theirs, their_member)) << #their_member; \
    EXPECT_EQ(size_of_member<decltype(std::declval<uabi::ours&>().our_member)>,                   \
              size_of_member<decltype(std::declval<theirs&>().their_member)>)                     \
        << #their_member

}  // namespace

TEST(uring_abi, opcodes_are_the_kernels) {
    SAME_OP(op::nop, IORING_OP_NOP);
    SAME_OP(op::readv, IORING_OP_READV);
    SAME_OP(op::writev, IORING_OP_WRITEV);
    SAME_OP(op::fsync, IORING_OP_FSYNC);
    SAME_OP(op::read_fixed, IORING_OP_READ_FIXED);
    SAME_OP(op::write_fixed, IORING_OP_WRITE_FIXED);
    SAME_OP(op::poll_add, IORING_OP_POLL_ADD);
    SAME_OP(op::poll_remove, IORING_OP_POLL_REMOVE);
    SAME_OP(op::sync_file_range, IORING_OP_SYNC_FILE_RANGE);
    SAME_OP(op::sendmsg, IORING_OP_SENDMSG);
    SAME_OP(op::recvmsg, IORING_OP_RECVMSG);
    SAME_OP(op::timeout, IORING_OP_TIMEOUT);
    SAME_OP(op::timeout_remove, IORING_OP_TIMEOUT_REMOVE);
    SAME_OP(op::accept, IORING_OP_ACCEPT);
    SAME_OP(op::async_cancel, IORING_OP_ASYNC_CANCEL);
    SAME_OP(op::link_timeout, IORING_OP_LINK_TIMEOUT);
    SAME_OP(op::connect, IORING_OP_CONNECT);
    SAME_OP(op::fallocate, IORING_OP_FALLOCATE);
    SAME_OP(op::openat, IORING_OP_OPENAT);
    SAME_OP(op::close, IORING_OP_CLOSE);
    SAME_OP(op::files_update, IORING_OP_FILES_UPDATE);
    SAME_OP(op::statx, IORING_OP_STATX);
    SAME_OP(op::read, IORING_OP_READ);
    SAME_OP(op::write, IORING_OP_WRITE);
    SAME_OP(op::fadvise, IORING_OP_FADVISE);
    SAME_OP(op::madvise, IORING_OP_MADVISE);
    SAME_OP(op::send, IORING_OP_SEND);
    SAME_OP(op::recv, IORING_OP_RECV);
    SAME_OP(op::openat2, IORING_OP_OPENAT2);
    SAME_OP(op::epoll_ctl, IORING_OP_EPOLL_CTL);
    SAME_OP(op::splice, IORING_OP_SPLICE);
    SAME_OP(op::provide_buffers, IORING_OP_PROVIDE_BUFFERS);
    SAME_OP(op::remove_buffers, IORING_OP_REMOVE_BUFFERS);
    SAME_OP(op::tee, IORING_OP_TEE);
    SAME_OP(op::shutdown, IORING_OP_SHUTDOWN);
    SAME_OP(op::renameat, IORING_OP_RENAMEAT);
    SAME_OP(op::unlinkat, IORING_OP_UNLINKAT);
    SAME_OP(op::mkdirat, IORING_OP_MKDIRAT);
    SAME_OP(op::symlinkat, IORING_OP_SYMLINKAT);
    SAME_OP(op::linkat, IORING_OP_LINKAT);
    SAME_OP(op::msg_ring, IORING_OP_MSG_RING);
    SAME_OP(op::fsetxattr, IORING_OP_FSETXATTR);
    SAME_OP(op::setxattr, IORING_OP_SETXATTR);
    SAME_OP(op::fgetxattr, IORING_OP_FGETXATTR);
    SAME_OP(op::getxattr, IORING_OP_GETXATTR);
    SAME_OP(op::socket, IORING_OP_SOCKET);
    SAME_OP(op::uring_cmd, IORING_OP_URING_CMD);
    SAME_OP(op::send_zc, IORING_OP_SEND_ZC);
    SAME_OP(op::sendmsg_zc, IORING_OP_SENDMSG_ZC);
}

TEST(uring_abi, register_operations_are_the_kernels) {
    SAME_OP(register_op::buffers, IORING_REGISTER_BUFFERS);
    SAME_OP(register_op::unregister_buffers, IORING_UNREGISTER_BUFFERS);
    SAME_OP(register_op::files, IORING_REGISTER_FILES);
    SAME_OP(register_op::unregister_files, IORING_UNREGISTER_FILES);
    SAME_OP(register_op::eventfd, IORING_REGISTER_EVENTFD);
    SAME_OP(register_op::unregister_eventfd, IORING_UNREGISTER_EVENTFD);
    SAME_OP(register_op::files_update, IORING_REGISTER_FILES_UPDATE);
    SAME_OP(register_op::eventfd_async, IORING_REGISTER_EVENTFD_ASYNC);
    SAME_OP(register_op::probe, IORING_REGISTER_PROBE);
    SAME_OP(register_op::personality, IORING_REGISTER_PERSONALITY);
    SAME_OP(register_op::unregister_personality, IORING_UNREGISTER_PERSONALITY);
    SAME_OP(register_op::restrictions, IORING_REGISTER_RESTRICTIONS);
    SAME_OP(register_op::enable_rings, IORING_REGISTER_ENABLE_RINGS);
    SAME_OP(register_op::files2, IORING_REGISTER_FILES2);
    SAME_OP(register_op::files_update2, IORING_REGISTER_FILES_UPDATE2);
    SAME_OP(register_op::buffers2, IORING_REGISTER_BUFFERS2);
    SAME_OP(register_op::buffers_update, IORING_REGISTER_BUFFERS_UPDATE);
    SAME_OP(register_op::iowq_aff, IORING_REGISTER_IOWQ_AFF);
    SAME_OP(register_op::unregister_iowq_aff, IORING_UNREGISTER_IOWQ_AFF);
    SAME_OP(register_op::iowq_max_workers, IORING_REGISTER_IOWQ_MAX_WORKERS);
    SAME_OP(register_op::ring_fds, IORING_REGISTER_RING_FDS);
    SAME_OP(register_op::unregister_ring_fds, IORING_UNREGISTER_RING_FDS);
    SAME_OP(register_op::pbuf_ring, IORING_REGISTER_PBUF_RING);
    SAME_OP(register_op::unregister_pbuf_ring, IORING_UNREGISTER_PBUF_RING);
    SAME_OP(register_op::sync_cancel, IORING_REGISTER_SYNC_CANCEL);
    SAME_OP(register_op::file_alloc_range, IORING_REGISTER_FILE_ALLOC_RANGE);
}

TEST(uring_abi, ring_flags_are_the_kernels) {
    SAME(setup::iopoll, IORING_SETUP_IOPOLL);
    SAME(setup::sqpoll, IORING_SETUP_SQPOLL);
    SAME(setup::sq_aff, IORING_SETUP_SQ_AFF);
    SAME(setup::cqsize, IORING_SETUP_CQSIZE);
    SAME(setup::clamp, IORING_SETUP_CLAMP);
    SAME(setup::attach_wq, IORING_SETUP_ATTACH_WQ);
    SAME(setup::r_disabled, IORING_SETUP_R_DISABLED);
    SAME(setup::submit_all, IORING_SETUP_SUBMIT_ALL);
    SAME(setup::coop_taskrun, IORING_SETUP_COOP_TASKRUN);
    SAME(setup::taskrun_flag, IORING_SETUP_TASKRUN_FLAG);
    SAME(setup::sqe128, IORING_SETUP_SQE128);
    SAME(setup::cqe32, IORING_SETUP_CQE32);
    SAME(setup::single_issuer, IORING_SETUP_SINGLE_ISSUER);
    SAME(setup::defer_taskrun, IORING_SETUP_DEFER_TASKRUN);
    SAME(feature::single_mmap, IORING_FEAT_SINGLE_MMAP);
    SAME(feature::nodrop, IORING_FEAT_NODROP);
    SAME(feature::submit_stable, IORING_FEAT_SUBMIT_STABLE);
    SAME(feature::rw_cur_pos, IORING_FEAT_RW_CUR_POS);
    SAME(feature::cur_personality, IORING_FEAT_CUR_PERSONALITY);
    SAME(feature::fast_poll, IORING_FEAT_FAST_POLL);
    SAME(feature::poll_32bits, IORING_FEAT_POLL_32BITS);
    SAME(feature::sqpoll_nonfixed, IORING_FEAT_SQPOLL_NONFIXED);
    SAME(feature::ext_arg, IORING_FEAT_EXT_ARG);
    SAME(feature::native_workers, IORING_FEAT_NATIVE_WORKERS);
    SAME(feature::rsrc_tags, IORING_FEAT_RSRC_TAGS);
    SAME(feature::cqe_skip, IORING_FEAT_CQE_SKIP);
    SAME(feature::linked_file, IORING_FEAT_LINKED_FILE);
    SAME(enter::getevents, IORING_ENTER_GETEVENTS);
    SAME(enter::sq_wakeup, IORING_ENTER_SQ_WAKEUP);
    SAME(enter::sq_wait, IORING_ENTER_SQ_WAIT);
    SAME(enter::ext_arg, IORING_ENTER_EXT_ARG);
    SAME(enter::registered_ring, IORING_ENTER_REGISTERED_RING);
    SAME(sq_ring_flag::need_wakeup, IORING_SQ_NEED_WAKEUP);
    SAME(sq_ring_flag::cq_overflow, IORING_SQ_CQ_OVERFLOW);
    SAME(sq_ring_flag::taskrun, IORING_SQ_TASKRUN);
    SAME(cq_ring_flag::eventfd_disabled, IORING_CQ_EVENTFD_DISABLED);
    SAME(map_offset::sq_ring, IORING_OFF_SQ_RING);
    SAME(map_offset::cq_ring, IORING_OFF_CQ_RING);
    SAME(map_offset::sqes, IORING_OFF_SQES);
    SAME(map_offset::mask, IORING_OFF_MMAP_MASK);
}

TEST(uring_abi, entry_flags_are_the_kernels) {
    SAME(sqe_flag::fixed_file, IOSQE_FIXED_FILE);
    SAME(sqe_flag::io_drain, IOSQE_IO_DRAIN);
    SAME(sqe_flag::io_link, IOSQE_IO_LINK);
    SAME(sqe_flag::io_hardlink, IOSQE_IO_HARDLINK);
    SAME(sqe_flag::async, IOSQE_ASYNC);
    SAME(sqe_flag::buffer_select, IOSQE_BUFFER_SELECT);
    SAME(sqe_flag::cqe_skip_success, IOSQE_CQE_SKIP_SUCCESS);
    SAME(cqe_flag::buffer, IORING_CQE_F_BUFFER);
    SAME(cqe_flag::more, IORING_CQE_F_MORE);
    SAME(cqe_flag::sock_nonempty, IORING_CQE_F_SOCK_NONEMPTY);
    SAME(cqe_flag::notif, IORING_CQE_F_NOTIF);
    SAME(cqe_flag::buffer_shift, IORING_CQE_BUFFER_SHIFT);
    SAME(accept_flag::multishot, IORING_ACCEPT_MULTISHOT);
    SAME(recvsend_flag::poll_first, IORING_RECVSEND_POLL_FIRST);
    SAME(recvsend_flag::recv_multishot, IORING_RECV_MULTISHOT);
    SAME(recvsend_flag::fixed_buf, IORING_RECVSEND_FIXED_BUF);
    SAME(poll_flag::add_multi, IORING_POLL_ADD_MULTI);
    SAME(poll_flag::update_events, IORING_POLL_UPDATE_EVENTS);
    SAME(poll_flag::update_user_data, IORING_POLL_UPDATE_USER_DATA);
    SAME(poll_flag::add_level, IORING_POLL_ADD_LEVEL);
    SAME(timeout_flag::abs, IORING_TIMEOUT_ABS);
    SAME(timeout_flag::update, IORING_TIMEOUT_UPDATE);
    SAME(timeout_flag::boottime, IORING_TIMEOUT_BOOTTIME);
    SAME(timeout_flag::realtime, IORING_TIMEOUT_REALTIME);
    SAME(timeout_flag::link_update, IORING_LINK_TIMEOUT_UPDATE);
    SAME(timeout_flag::etime_success, IORING_TIMEOUT_ETIME_SUCCESS);
    SAME(cancel_flag::all, IORING_ASYNC_CANCEL_ALL);
    SAME(cancel_flag::fd, IORING_ASYNC_CANCEL_FD);
    SAME(cancel_flag::any, IORING_ASYNC_CANCEL_ANY);
    SAME(cancel_flag::fd_fixed, IORING_ASYNC_CANCEL_FD_FIXED);
    SAME(msg_ring_command::data, IORING_MSG_DATA);
    SAME(msg_ring_command::send_fd, IORING_MSG_SEND_FD);
    SAME(msg_ring_flag::cqe_skip, IORING_MSG_RING_CQE_SKIP);
    SAME(fsync_datasync, IORING_FSYNC_DATASYNC);
    SAME(splice_fd_in_fixed, SPLICE_F_FD_IN_FIXED);
    SAME(uring_cmd_fixed, IORING_URING_CMD_FIXED);
    SAME(file_index_alloc, IORING_FILE_INDEX_ALLOC);
    SAME(files_skip, IORING_REGISTER_FILES_SKIP);
    SAME(rsrc_register_sparse, IORING_RSRC_REGISTER_SPARSE);
    SAME(probe_op_supported, IO_URING_OP_SUPPORTED);
    SAME(restriction_kind::register_op, IORING_RESTRICTION_REGISTER_OP);
    SAME(restriction_kind::sqe_op, IORING_RESTRICTION_SQE_OP);
    SAME(restriction_kind::sqe_flags_allowed, IORING_RESTRICTION_SQE_FLAGS_ALLOWED);
    SAME(restriction_kind::sqe_flags_required, IORING_RESTRICTION_SQE_FLAGS_REQUIRED);
}

// Flags that came after 6.1: the header of a Debian 12 build host does not have them yet.
TEST(uring_abi, newer_flags_are_the_kernels) {
    [[maybe_unused]] int compared = 0;
#ifdef IORING_SEND_ZC_REPORT_USAGE
    SAME(recvsend_flag::zc_report_usage, IORING_SEND_ZC_REPORT_USAGE);
    ++compared;
#endif
#ifdef IORING_NOTIF_USAGE_ZC_COPIED
    SAME(notif_usage_zc_copied, IORING_NOTIF_USAGE_ZC_COPIED);
    ++compared;
#endif
#ifdef IORING_ASYNC_CANCEL_OP
    SAME(cancel_flag::user_data, IORING_ASYNC_CANCEL_USERDATA);
    SAME(cancel_flag::op, IORING_ASYNC_CANCEL_OP);
    ++compared;
#endif
#ifdef IORING_SETUP_NO_SQARRAY
    SAME(setup::no_mmap, IORING_SETUP_NO_MMAP);
    SAME(setup::registered_fd_only, IORING_SETUP_REGISTERED_FD_ONLY);
    SAME(setup::no_sqarray, IORING_SETUP_NO_SQARRAY);
    SAME(timeout_flag::multishot, IORING_TIMEOUT_MULTISHOT);
    SAME(msg_ring_flag::flags_pass, IORING_MSG_RING_FLAGS_PASS);
    SAME(map_offset::pbuf_ring, IORING_OFF_PBUF_RING);
    SAME(map_offset::pbuf_shift, IORING_OFF_PBUF_SHIFT);
    SAME(feature::reg_reg_ring, IORING_FEAT_REG_REG_RING);
    expect_same("USE_REGISTERED_RING", uabi::use_registered_ring,
                IORING_REGISTER_USE_REGISTERED_RING);
    ++compared;
#endif
#ifdef IORING_RECVSEND_BUNDLE
    SAME(recvsend_flag::bundle, IORING_RECVSEND_BUNDLE);
    SAME(feature::recvsend_bundle, IORING_FEAT_RECVSEND_BUNDLE);
    SAME(accept_flag::dontwait, IORING_ACCEPT_DONTWAIT);
    SAME(accept_flag::poll_first, IORING_ACCEPT_POLL_FIRST);
    SAME(fixed_fd_no_cloexec, IORING_FIXED_FD_NO_CLOEXEC);
    SAME(nop_inject_result, IORING_NOP_INJECT_RESULT);
    ++compared;
#endif
#ifdef IORING_FEAT_MIN_TIMEOUT
    SAME(feature::min_timeout, IORING_FEAT_MIN_TIMEOUT);
    SAME(cqe_flag::buf_more, IORING_CQE_F_BUF_MORE);
    SAME(enter::abs_timer, IORING_ENTER_ABS_TIMER);
    ++compared;
#endif
#ifdef IORING_ENTER_EXT_ARG_REG
    SAME(enter::ext_arg_reg, IORING_ENTER_EXT_ARG_REG);
    SAME(setup::hybrid_iopoll, IORING_SETUP_HYBRID_IOPOLL);
    ++compared;
#endif
#ifdef IORING_FEAT_RW_ATTR
    SAME(feature::rw_attr, IORING_FEAT_RW_ATTR);
    SAME(rw_attr_pi, IORING_RW_ATTR_FLAG_PI);
    ++compared;
#endif
#ifdef IORING_ENTER_NO_IOWAIT
    SAME(enter::no_iowait, IORING_ENTER_NO_IOWAIT);
    SAME(feature::no_iowait, IORING_FEAT_NO_IOWAIT);
    ++compared;
#endif
#ifdef IORING_SEND_VECTORIZED
    SAME(recvsend_flag::send_vectorized, IORING_SEND_VECTORIZED);
    ++compared;
#endif
#ifdef IORING_SETUP_CQE_MIXED
    SAME(setup::cqe_mixed, IORING_SETUP_CQE_MIXED);
    SAME(cqe_flag::skip, IORING_CQE_F_SKIP);
    SAME(cqe_flag::big, IORING_CQE_F_32);
    ++compared;
#endif
    if (compared == 0) GTEST_SKIP() << "the kernel header of this host ends at 6.1";
}

TEST(uring_abi, submission_entry_has_the_kernels_layout) {
    SAME_SIZE(sqe, io_uring_sqe);
    SAME_MEMBER(sqe, opcode, io_uring_sqe, opcode);
    SAME_MEMBER(sqe, flags, io_uring_sqe, flags);
    SAME_MEMBER(sqe, ioprio, io_uring_sqe, ioprio);
    SAME_MEMBER(sqe, fd, io_uring_sqe, fd);
    SAME_MEMBER(sqe, off, io_uring_sqe, off);
    SAME_MEMBER(sqe, addr2, io_uring_sqe, addr2);
    SAME_MEMBER(sqe, cmd_op, io_uring_sqe, cmd_op);
    SAME_MEMBER(sqe, addr, io_uring_sqe, addr);
    SAME_MEMBER(sqe, splice_off_in, io_uring_sqe, splice_off_in);
    SAME_MEMBER(sqe, len, io_uring_sqe, len);
    SAME_MEMBER(sqe, op_flags, io_uring_sqe, rw_flags);
    SAME_MEMBER(sqe, rw_flags, io_uring_sqe, rw_flags);
    SAME_MEMBER(sqe, fsync_flags, io_uring_sqe, fsync_flags);
    SAME_MEMBER(sqe, poll32_events, io_uring_sqe, poll32_events);
    SAME_MEMBER(sqe, sync_range_flags, io_uring_sqe, sync_range_flags);
    SAME_MEMBER(sqe, msg_flags, io_uring_sqe, msg_flags);
    SAME_MEMBER(sqe, timeout_flags, io_uring_sqe, timeout_flags);
    SAME_MEMBER(sqe, accept_flags, io_uring_sqe, accept_flags);
    SAME_MEMBER(sqe, cancel_flags, io_uring_sqe, cancel_flags);
    SAME_MEMBER(sqe, open_flags, io_uring_sqe, open_flags);
    SAME_MEMBER(sqe, statx_flags, io_uring_sqe, statx_flags);
    SAME_MEMBER(sqe, fadvise_advice, io_uring_sqe, fadvise_advice);
    SAME_MEMBER(sqe, splice_flags, io_uring_sqe, splice_flags);
    SAME_MEMBER(sqe, rename_flags, io_uring_sqe, rename_flags);
    SAME_MEMBER(sqe, unlink_flags, io_uring_sqe, unlink_flags);
    SAME_MEMBER(sqe, hardlink_flags, io_uring_sqe, hardlink_flags);
    SAME_MEMBER(sqe, xattr_flags, io_uring_sqe, xattr_flags);
    SAME_MEMBER(sqe, msg_ring_flags, io_uring_sqe, msg_ring_flags);
    SAME_MEMBER(sqe, user_data, io_uring_sqe, user_data);
    SAME_MEMBER(sqe, personality, io_uring_sqe, personality);
    SAME_MEMBER(sqe, file_index, io_uring_sqe, file_index);
    SAME_MEMBER(sqe, splice_fd_in, io_uring_sqe, splice_fd_in);
    SAME_MEMBER(sqe, addr_len, io_uring_sqe, addr_len);
    SAME_MEMBER(sqe, addr3, io_uring_sqe, addr3);
    // Packed in the kernel's header, so no reference can be bound to them: the places alone.
    EXPECT_EQ(offsetof(uabi::sqe, buf_index), offsetof(io_uring_sqe, buf_index));
    EXPECT_EQ(offsetof(uabi::sqe, buf_group), offsetof(io_uring_sqe, buf_group));
}

TEST(uring_abi, a_fresh_submission_entry_is_all_zero) {
    alignas(uabi::sqe) unsigned char bytes[sizeof(uabi::sqe)];
    std::memset(bytes, 0xff, sizeof bytes);
    new (bytes) uabi::sqe{};
    for (unsigned char const byte : bytes) EXPECT_EQ(byte, 0);
}

TEST(uring_abi, ring_structures_have_the_kernels_layout) {
    SAME_SIZE(cqe, io_uring_cqe);
    SAME_MEMBER(cqe, user_data, io_uring_cqe, user_data);
    SAME_MEMBER(cqe, res, io_uring_cqe, res);
    SAME_MEMBER(cqe, flags, io_uring_cqe, flags);
    SAME_SIZE(sq_offsets, io_sqring_offsets);
    SAME_MEMBER(sq_offsets, head, io_sqring_offsets, head);
    SAME_MEMBER(sq_offsets, tail, io_sqring_offsets, tail);
    SAME_MEMBER(sq_offsets, ring_mask, io_sqring_offsets, ring_mask);
    SAME_MEMBER(sq_offsets, ring_entries, io_sqring_offsets, ring_entries);
    SAME_MEMBER(sq_offsets, flags, io_sqring_offsets, flags);
    SAME_MEMBER(sq_offsets, dropped, io_sqring_offsets, dropped);
    SAME_MEMBER(sq_offsets, array, io_sqring_offsets, array);
    SAME_SIZE(cq_offsets, io_cqring_offsets);
    SAME_MEMBER(cq_offsets, head, io_cqring_offsets, head);
    SAME_MEMBER(cq_offsets, tail, io_cqring_offsets, tail);
    SAME_MEMBER(cq_offsets, ring_mask, io_cqring_offsets, ring_mask);
    SAME_MEMBER(cq_offsets, ring_entries, io_cqring_offsets, ring_entries);
    SAME_MEMBER(cq_offsets, overflow, io_cqring_offsets, overflow);
    SAME_MEMBER(cq_offsets, cqes, io_cqring_offsets, cqes);
    SAME_MEMBER(cq_offsets, flags, io_cqring_offsets, flags);
    SAME_SIZE(params, io_uring_params);
    SAME_MEMBER(params, sq_entries, io_uring_params, sq_entries);
    SAME_MEMBER(params, cq_entries, io_uring_params, cq_entries);
    SAME_MEMBER(params, flags, io_uring_params, flags);
    SAME_MEMBER(params, sq_thread_cpu, io_uring_params, sq_thread_cpu);
    SAME_MEMBER(params, sq_thread_idle, io_uring_params, sq_thread_idle);
    SAME_MEMBER(params, features, io_uring_params, features);
    SAME_MEMBER(params, wq_fd, io_uring_params, wq_fd);
    SAME_MEMBER(params, sq_off, io_uring_params, sq_off);
    SAME_MEMBER(params, cq_off, io_uring_params, cq_off);
    SAME_SIZE(kernel_timespec, __kernel_timespec);
    SAME_SIZE(getevents_arg, io_uring_getevents_arg);
    SAME_MEMBER(getevents_arg, sigmask, io_uring_getevents_arg, sigmask);
    SAME_MEMBER(getevents_arg, sigmask_sz, io_uring_getevents_arg, sigmask_sz);
    SAME_MEMBER(getevents_arg, ts, io_uring_getevents_arg, ts);
}

TEST(uring_abi, register_arguments_have_the_kernels_layout) {
    SAME_SIZE(buf, io_uring_buf);
    SAME_MEMBER(buf, addr, io_uring_buf, addr);
    SAME_MEMBER(buf, len, io_uring_buf, len);
    SAME_MEMBER(buf, bid, io_uring_buf, bid);
    SAME_MEMBER(buf, tail, io_uring_buf_ring, tail);
    SAME_SIZE(buf_reg, io_uring_buf_reg);
    SAME_MEMBER(buf_reg, ring_addr, io_uring_buf_reg, ring_addr);
    SAME_MEMBER(buf_reg, ring_entries, io_uring_buf_reg, ring_entries);
    SAME_MEMBER(buf_reg, bgid, io_uring_buf_reg, bgid);
    SAME_SIZE(rsrc_register, io_uring_rsrc_register);
    SAME_MEMBER(rsrc_register, nr, io_uring_rsrc_register, nr);
    SAME_MEMBER(rsrc_register, flags, io_uring_rsrc_register, flags);
    SAME_MEMBER(rsrc_register, data, io_uring_rsrc_register, data);
    SAME_MEMBER(rsrc_register, tags, io_uring_rsrc_register, tags);
    SAME_SIZE(rsrc_update, io_uring_rsrc_update);
    SAME_MEMBER(rsrc_update, offset, io_uring_rsrc_update, offset);
    SAME_MEMBER(rsrc_update, data, io_uring_rsrc_update, data);
    SAME_SIZE(rsrc_update2, io_uring_rsrc_update2);
    SAME_MEMBER(rsrc_update2, tags, io_uring_rsrc_update2, tags);
    SAME_MEMBER(rsrc_update2, nr, io_uring_rsrc_update2, nr);
    SAME_SIZE(sync_cancel_reg, io_uring_sync_cancel_reg);
    SAME_MEMBER(sync_cancel_reg, addr, io_uring_sync_cancel_reg, addr);
    SAME_MEMBER(sync_cancel_reg, fd, io_uring_sync_cancel_reg, fd);
    SAME_MEMBER(sync_cancel_reg, flags, io_uring_sync_cancel_reg, flags);
    SAME_MEMBER(sync_cancel_reg, timeout, io_uring_sync_cancel_reg, timeout);
    SAME_SIZE(file_index_range, io_uring_file_index_range);
    SAME_MEMBER(file_index_range, len, io_uring_file_index_range, len);
    SAME_SIZE(restriction, io_uring_restriction);
    SAME_MEMBER(restriction, opcode, io_uring_restriction, opcode);
    SAME_MEMBER(restriction, value, io_uring_restriction, sqe_op);
    SAME_SIZE(probe_op, io_uring_probe_op);
    SAME_MEMBER(probe_op, op, io_uring_probe_op, op);
    SAME_MEMBER(probe_op, flags, io_uring_probe_op, flags);
    EXPECT_EQ(offsetof(uabi::probe, ops), sizeof(io_uring_probe));
    SAME_MEMBER(probe, last_op, io_uring_probe, last_op);
    SAME_MEMBER(probe, ops_len, io_uring_probe, ops_len);
    SAME_SIZE(recvmsg_out, io_uring_recvmsg_out);
    SAME_MEMBER(recvmsg_out, payloadlen, io_uring_recvmsg_out, payloadlen);
}

// A kernel that answers queries (6.18 and later) knows at least what this table names.
TEST(uring_abi, a_kernel_that_answers_queries_knows_all_that_is_named) {
    uabi::query_opcodes answer{};
    uabi::query_header question{};
    question.query_data = reinterpret_cast<std::uint64_t>(&answer);
    question.query_op = uabi::query_opcodes_op;
    question.size = sizeof answer;
    int const code = uabi::sys_register(-1, uabi::register_op::query, &question, 0);
    if (code < 0) GTEST_SKIP() << "this kernel does not answer: " << std::strerror(-code);
    ASSERT_EQ(question.result, 0);
    EXPECT_GE(answer.request_opcodes, uabi::op_count);
    EXPECT_GE(answer.register_opcodes, uabi::register_op_count);
    EXPECT_EQ(answer.setup_flags & uabi::setup::all, uabi::setup::all);
    EXPECT_EQ(answer.features & uabi::feature::all, uabi::feature::all);
    EXPECT_EQ(answer.enter_flags & uabi::enter::all, uabi::enter::all);
    EXPECT_EQ(answer.sqe_flags & uabi::sqe_flag::all, uabi::sqe_flag::all);
}

#endif
