#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

#include "serve/connection_cap.hpp"

namespace {

using namespace upcall_serve;

client_key ipv4(std::uint32_t address) {
    const std::array<std::uint8_t, 4> bytes = {
        static_cast<std::uint8_t>(address >> 24), static_cast<std::uint8_t>(address >> 16),
        static_cast<std::uint8_t>(address >> 8), static_cast<std::uint8_t>(address)};
    return client_key::of_ipv4(bytes);
}

client_key ipv6(std::initializer_list<std::uint8_t> first, std::uint8_t last = 1) {
    std::array<std::uint8_t, 16> bytes{};
    std::copy(first.begin(), first.end(), bytes.begin());
    bytes[15] = last;
    return client_key::of_ipv6(bytes);
}

TEST(connection_caps, per_address_from_both_sides) {
    connection_cap cap(0, 3, 1);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(cap.enter(ipv4(1)), admission::granted);
    EXPECT_EQ(cap.enter(ipv4(1)), admission::address_full);
    EXPECT_EQ(cap.enter(ipv4(2)), admission::granted) << "another address is not concerned";
    EXPECT_EQ(cap.connections(), 4u);
    cap.leave(ipv4(1));
    EXPECT_EQ(cap.enter(ipv4(1)), admission::granted);
    EXPECT_EQ(cap.enter(ipv4(1)), admission::address_full);
    EXPECT_EQ(cap.connections(), 4u) << "a refused connection does not count";
}

TEST(connection_caps, in_all_from_both_sides) {
    connection_cap cap(2, 0, 1);
    EXPECT_EQ(cap.enter(ipv4(1)), admission::granted);
    EXPECT_EQ(cap.enter(), admission::granted) << "a Unix socket's peer";
    EXPECT_EQ(cap.room(), 0u);
    EXPECT_EQ(cap.enter(ipv4(2)), admission::server_full);
    EXPECT_EQ(cap.enter(), admission::server_full);
    cap.leave();
    EXPECT_EQ(cap.enter(ipv4(2)), admission::granted);
    cap.leave(ipv4(1));
    cap.leave(ipv4(2));
    EXPECT_EQ(cap.connections(), 0u);
    EXPECT_EQ(cap.room(), 2u);
}

TEST(connection_caps, zero_is_no_limit) {
    connection_cap cap(0, 0, 1);
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(cap.enter(ipv4(7)), admission::granted);
    EXPECT_EQ(cap.connections(), 10'000u);
    EXPECT_GT(cap.room(), 1'000'000'000u);
}

TEST(connection_caps, ipv6_counts_by_its_64) {
    EXPECT_EQ(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}, 1), ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}, 2));
    EXPECT_NE(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}), ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 2}));
    EXPECT_EQ(ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0}, 1), ipv4(0x7f000001));
    EXPECT_NE(ipv6({}, 1), ipv4(0)) << "::1";
    EXPECT_NE(ipv4(1), ipv4(2));
}

// Against a map, with few addresses, so that slots collide, empty and are filled again.
TEST(connection_caps, agree_with_a_simple_model) {
    for (std::uint64_t seed : {0u, 1u, 12345u}) {
        connection_cap cap(300, 5, seed);
        std::map<std::uint32_t, std::uint32_t> model;
        std::size_t total = 0;
        std::mt19937 random(static_cast<unsigned>(seed));
        for (int round = 0; round < 60'000; ++round) {
            const auto address = static_cast<std::uint32_t>(random() % 200);
            if (random() % 2 == 0) {
                const admission expected = total >= 300          ? admission::server_full
                                           : model[address] >= 5 ? admission::address_full
                                                                 : admission::granted;
                ASSERT_EQ(cap.enter(ipv4(address)), expected);
                if (expected == admission::granted) {
                    ++model[address];
                    ++total;
                }
            } else if (model[address] > 0) {
                cap.leave(ipv4(address));
                --model[address];
                --total;
            }
            ASSERT_EQ(cap.connections(), total);
        }
    }
}

TEST(connection_caps, many_addresses_come_and_go) {
    connection_cap cap(0, 1, 99);
    for (int wave = 0; wave < 3; ++wave) {
        for (std::uint32_t i = 0; i < 50'000; ++i)
            ASSERT_EQ(cap.enter(ipv4(i * 65'536)), admission::granted);
        for (std::uint32_t i = 0; i < 50'000; ++i)
            ASSERT_EQ(cap.enter(ipv4(i * 65'536)), admission::address_full);
        for (std::uint32_t i = 0; i < 50'000; ++i) cap.leave(ipv4(i * 65'536));
        EXPECT_EQ(cap.connections(), 0u);
    }
}

TEST(connection_caps, threads_share_one) {
    connection_cap cap(0, 1000, 5);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (std::uint32_t i = 0; i < 20'000; ++i) {
                if (cap.enter(ipv4(i % 50)) == admission::granted) cap.leave(ipv4(i % 50));
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(cap.connections(), 0u);
}

}  // namespace
