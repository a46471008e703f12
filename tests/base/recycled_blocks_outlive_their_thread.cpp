// Threads come and go while others free and use what they had allocated. On Windows the list of
// free blocks was once walked in memory that had been given back before the thread's end.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include <upcall/base/recycler.hpp>

namespace upcall {
namespace {

constexpr std::size_t sizes[] = {24, 64, 200, 1000};

struct block {
    unsigned char* bytes;
    std::size_t size;
    unsigned char mark;
};

block make_block(std::size_t size, int number) {
    const auto mark = static_cast<unsigned char>(number * 7 + 1);
    auto* bytes = static_cast<unsigned char*>(recycler_allocate(size));
    std::memset(bytes, mark, size);
    return {bytes, size, mark};
}

/// Frees it, and says whether nobody else had written there.
bool end_block(const block& one) {
    bool whole = true;
    for (std::size_t at = 0; at < one.size; ++at) whole = whole && one.bytes[at] == one.mark;
    recycler_free(one.bytes, one.size);
    return whole;
}

TEST(recycler, blocks_outlive_the_thread_that_made_them) {
    std::mutex lock;
    std::vector<block> handed_over;
    bool whole = true;
    for (int round = 0; round < 100; ++round) {
        std::vector<std::thread> threads;
        for (int number = 0; number < 4; ++number)
            threads.emplace_back([&, number] {
                std::vector<block> own;
                for (int at = 0; at < 64; ++at)
                    own.push_back(make_block(sizes[static_cast<std::size_t>(at % 4)], number + at));
                const std::scoped_lock held(lock);
                // Half of them wait in this thread's lists when it ends, half go to others.
                for (std::size_t at = 0; at < own.size(); ++at)
                    if (at % 2 == 0)
                        whole = end_block(own[at]) && whole;
                    else
                        handed_over.push_back(own[at]);
            });
        for (int at = 0; at < 64; ++at) {
            const block mine = make_block(sizes[static_cast<std::size_t>(at % 4)], at);
            std::this_thread::yield();
            EXPECT_TRUE(end_block(mine));
        }
        for (std::thread& thread : threads) thread.join();
        for (const block& one : handed_over) whole = end_block(one) && whole;
        handed_over.clear();
    }
    EXPECT_TRUE(whole);
}

}  // namespace
}  // namespace upcall
