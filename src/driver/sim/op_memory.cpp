#include "op_memory.hpp"

#include <algorithm>
#include <cstring>

#include <upcall/base/sanitizer.hpp>

namespace upcall::sim {

op_memory::op_memory(const io_operation& op) noexcept {
    if (op.flags & op_vectored) {
        vector_ = static_cast<const io_slice*>(op.data);
        count_ = op.size;
    } else {
        single_.data = op.data;
        single_.size = op.size;
    }
}

std::size_t op_memory::size() const noexcept {
    std::size_t total = 0;
    for (const io_slice& slice : slices()) total += slice.size;
    return total;
}

template <class Visit>
void op_memory::for_part(std::size_t at, std::size_t count, Visit&& visit) const noexcept {
    std::size_t done = 0;
    for (const io_slice& slice : slices()) {
        if (done == count) return;
        if (at >= slice.size) {
            at -= slice.size;
            continue;
        }
        const std::size_t length = std::min(slice.size - at, count - done);
        visit(static_cast<std::byte*>(slice.data) + at, done, length);
        done += length;
        at = 0;
    }
}

void op_memory::load(std::size_t at, byte_span bytes) const noexcept {
    for_part(at, bytes.size(), [&](const std::byte* part, std::size_t done, std::size_t length) {
        std::memcpy(bytes.data() + done, part, length);
    });
}

void op_memory::store(std::size_t at, byte_view bytes) const noexcept {
    for_part(at, bytes.size(), [&](std::byte* part, std::size_t done, std::size_t length) {
        unguard_buffer(part, length);
        std::memcpy(part, bytes.data() + done, length);
        guard_buffer(part, length);
    });
}

}  // namespace upcall::sim
