// A lease may be given back on another thread at any time: also while its loop is being destroyed.
#include <upcall/base/buffer_pool.hpp>

#include <thread>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

class late_leases : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(late_leases);

// Went wrong: who gave back looked whether the loop starved, and woke it, when the loop had seen
// the block already and was gone. ThreadSanitizer tells.
TEST_P(late_leases, who_gives_back_is_awaited) {
    for (int round = 0; round < 20; ++round) {
        if (!owned_loop()) owned_loop() = testing::make_test_loop(GetParam());
        buffer_pool& pool = home().buffers();
        std::vector<lease> held;
        while (std::byte* block = pool.take_small()) held.emplace_back(pool, block, 1);
        // It is dry now, so the loop has to be told.
        const std::size_t out = pool.outstanding();
        std::thread other([last = std::move(held.back())]() mutable { last.reset(); });
        while (pool.outstanding() == out) std::this_thread::yield();
        held.clear();
        owned_loop().reset();
        other.join();
    }
}

}  // namespace
}  // namespace upcall
