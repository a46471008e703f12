// Who found a pool dry is told when a buffer comes back, on whichever thread and of whichever kind.
#include <upcall/base/buffer_pool.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace upcall {
namespace {

class dry_pool : public ::testing::Test {
  protected:
    dry_pool() {
        pool.callback_argument = this;
        pool.on_refill = [](void* self) noexcept { ++static_cast<dry_pool*>(self)->refills; };
        pool.on_foreign = [](void* self) noexcept { ++static_cast<dry_pool*>(self)->wakes; };
    }
    ~dry_pool() override {
        for (std::byte* block : {small, large})
            if (block) pool.give_back(block);
        EXPECT_EQ(pool.outstanding(), 0U);
    }

    void give_back_elsewhere(std::byte*& block) {
        std::thread([&] { pool.give_back(std::exchange(block, nullptr)); }).join();
    }

    buffer_pool pool{{.small_count = 1, .large_count = 1}};
    std::byte* small = pool.take_small();
    std::byte* large = pool.take_large();
    int refills = 0;
    int wakes = 0;
};

TEST_F(dry_pool, gives_out_what_came_back_from_another_thread) {
    give_back_elsewhere(small);
    EXPECT_EQ(wakes, 0) << "nobody starves";
    small = pool.take_small();
    EXPECT_TRUE(small);
}

TEST_F(dry_pool, tells_who_starves) {
    EXPECT_FALSE(pool.take_small());
    give_back_elsewhere(small);
    EXPECT_EQ(wakes, 1);
    pool.collect_foreign();
    EXPECT_EQ(refills, 1);
}

// Went wrong: one who found it dry while a buffer of the other kind was on its way back was
// forgotten. Nothing was noted, so that the next to come back woke nobody; and the loop could fall
// asleep over the first one.
TEST_F(dry_pool, tells_who_starves_when_the_other_kind_comes_back_meanwhile) {
    give_back_elsewhere(large);
    EXPECT_FALSE(pool.take_small());
    EXPECT_EQ(refills, 1);
    EXPECT_EQ(wakes, 1) << "the poll in progress is not to sleep";
    give_back_elsewhere(small);
    EXPECT_EQ(wakes, 2);
    pool.collect_foreign();
    EXPECT_EQ(refills, 2);
}

TEST_F(dry_pool, is_leaked_rather_than_freed_under_a_lease) {
    std::unique_ptr<buffer_pool, buffer_pool::unless_leased> owned(
        new buffer_pool({.small_count = 1, .large_count = 1}));
    lease kept(*owned, owned->take_small(), 4);
    buffer_pool* leaked = owned.get();
    ::testing::internal::CaptureStderr();
    owned.reset();
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "upcall: 1 leased buffers outlived their loop and are leaked\n");
    kept.data()[0] = std::byte{1};
    kept.reset();
    EXPECT_EQ(leaked->outstanding(), 0U);
    delete leaked;
}

}  // namespace
}  // namespace upcall
