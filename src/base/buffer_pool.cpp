#include <upcall/base/buffer_pool.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <new>
#include <thread>

#include <upcall/base/fatal.hpp>

#include "base/planted.hpp"

namespace upcall {
namespace {

constexpr std::align_val_t page{4096};
constexpr std::size_t bytes_min = 64;
constexpr std::size_t bytes_max = std::size_t{1} << 30;
constexpr std::size_t count_max = 65536;

// Its address tells threads apart without a system call.
const void* this_thread() noexcept {
    static thread_local const char mark = 0;
    return &mark;
}

}  // namespace

buffer_pool::buffer_pool(const buffer_pool_options& options) : owner_thread_(this_thread()) {
    auto reserve = [](kind& made, std::size_t bytes, std::size_t count) {
        made.bytes = std::bit_ceil(std::clamp(bytes, bytes_min, bytes_max));
        made.bytes_log2 = static_cast<unsigned>(std::countr_zero(made.bytes));
        count = std::min(count, count_max);
        made.count = static_cast<std::uint32_t>(count);
        made.free.reserve(count);
        made.notes = std::make_unique_for_overwrite<note[]>(count);
        made.memory = static_cast<std::byte*>(::operator new(made.bytes * count, page));
    };
    reserve(small_, options.small_bytes, options.small_count);
    try {
        reserve(large_, options.large_bytes, options.large_count);
    } catch (const std::bad_alloc&) {
        ::operator delete(small_.memory, page);
        throw;
    }
}

void buffer_pool::unless_leased::operator()(buffer_pool* pool) const noexcept {
    const std::size_t leased = pool->outstanding();
    if (leased == 0)
        delete pool;
    else  // freeing the memory under somebody would be worse
        std::fprintf(stderr, "upcall: %zu leased buffers outlived their loop and are leaked\n",
                     leased);
}

buffer_pool::~buffer_pool() {
    await_returning();
    ::operator delete(small_.memory, page);
    ::operator delete(large_.memory, page);
}

std::byte* buffer_pool::take(kind& from) noexcept {
    std::uint32_t index = 0;
    if (!from.free.empty()) {
        index = from.free.back();
        from.free.pop_back();
    } else if (from.untouched < from.count) {
        index = from.untouched++;
    } else {
        return take_dry(from);
    }
    ++from.out;
    return from.memory + std::size_t{index} * from.bytes;
}

/// Takes in what other threads have given back, in which there may be one of this kind. Null only
/// once it is noted that somebody starves, with nothing left to take in after that: then the next
/// one to give back sees the note.
std::byte* buffer_pool::take_dry(kind& from) noexcept {
    starved_.store(true, std::memory_order_seq_cst);
    if (!foreign_.load(std::memory_order_seq_cst)) return nullptr;
    collect_foreign();
    // Those who gave back may not have seen the note. In the middle of a poll, which has looked at
    // who starves already, nothing else would keep the loop from falling asleep over free buffers.
    if (on_foreign) on_foreign(callback_argument);
    return take(from);
}

void buffer_pool::put(std::byte* block) noexcept {
    kind& home = small_.holds(block) ? small_ : large_;
    UPCALL_ASSERT(home.holds(block) && home.out > 0);
    home.free.push_back(home.index_of(block));  // within the reserved capacity
    --home.out;
    if (starved_.load(std::memory_order_relaxed)) {
        starved_.store(false, std::memory_order_relaxed);
        if (UPCALL_PLANTED("nobody is told when buffers are there again")) return;
        if (on_refill) on_refill(callback_argument);
    }
}

void buffer_pool::give_back(std::byte* block) noexcept {
    if (this_thread() == owner_thread_) return put(block);
    // Raised before the block can be seen, so who has seen the last one knows whom to wait for.
    returning_.fetch_add(1, std::memory_order_seq_cst);
    auto* returned = new (block) foreign_return{foreign_.load(std::memory_order_relaxed)};
    while (!foreign_.compare_exchange_weak(returned->next, returned, std::memory_order_seq_cst,
                                           std::memory_order_relaxed)) {
    }
    // Either this sees that the loop starves, or the loop's next `take` sees this buffer.
    if (starved_.load(std::memory_order_seq_cst) && telling_.load(std::memory_order_seq_cst) &&
        on_foreign)
        on_foreign(callback_argument);
    returning_.fetch_sub(1, std::memory_order_release);
}

// Whoever gives back has raised `returning_` before it looks at `telling_`: either it sees that
// nobody is to be told, or it is seen here and awaited.
void buffer_pool::stop_telling() noexcept {
    telling_.store(false, std::memory_order_seq_cst);
    await_returning();
    on_refill = nullptr;
    on_foreign = nullptr;
}

void buffer_pool::await_returning() const noexcept {
    while (returning_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

void buffer_pool::collect_foreign() noexcept {
    foreign_return* at = foreign_.exchange(nullptr, std::memory_order_acquire);
    while (at) {
        foreign_return* following = at->next;
        put(reinterpret_cast<std::byte*>(at));
        at = following;
    }
}

std::size_t buffer_pool::outstanding() noexcept {
    collect_foreign();
    return small_.out + large_.out;
}

}  // namespace upcall
