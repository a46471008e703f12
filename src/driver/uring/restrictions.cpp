#include "driver/uring/restrictions.hpp"

#include <array>

namespace upcall {
namespace {

using namespace uring_abi;

// What the files of this folder write into entries. tests/driver/uring/hardened.cpp does
// each of them on a ring that is restricted to this.
constexpr std::array operations = {op::connect,     op::accept,      op::read,     op::write,
                                   op::readv,       op::writev,      op::recv,     op::send,
                                   op::recvmsg,     op::sendmsg,     op::poll_add, op::read_fixed,
                                   op::write_fixed, op::async_cancel};
constexpr std::uint8_t flags = sqe_flag::fixed_file | sqe_flag::async | sqe_flag::buffer_select;
constexpr std::array controls = {
    register_op::files2,           register_op::files_update, register_op::buffers2,
    register_op::buffers_update,   register_op::ring_fds,     register_op::unregister_ring_fds,
    register_op::iowq_max_workers, register_op::pbuf_ring,    register_op::unregister_pbuf_ring};

restriction rule(std::uint16_t kind, std::uint8_t value) noexcept {
    restriction made{};
    made.opcode = kind;
    made.value = value;
    return made;
}

}  // namespace

int restrict_to_driver(ring& ring) noexcept {
    std::array<restriction, operations.size() + controls.size() + 1> rules{};
    std::size_t count = 0;
    for (const auto each : operations)
        rules[count++] = rule(restriction_kind::sqe_op, static_cast<std::uint8_t>(each));
    for (const register_op each : controls)
        rules[count++] = rule(restriction_kind::register_op, static_cast<std::uint8_t>(each));
    rules[count++] = rule(restriction_kind::sqe_flags_allowed, flags);
    return ring.control(register_op::restrictions, rules.data(), static_cast<std::uint32_t>(count));
}

}  // namespace upcall
