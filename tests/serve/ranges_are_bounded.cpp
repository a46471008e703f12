#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "serve/multipart.hpp"
#include "serve/range.hpp"

namespace {

using namespace upcall_serve;

std::vector<byte_range> ranges(std::string_view value, std::uint64_t size) {
    const range_set set = parse_range(value, size);
    EXPECT_EQ(set.outcome(), range_outcome::partial) << value;
    return {set.ranges().begin(), set.ranges().end()};
}

range_outcome outcome(std::string_view value, std::uint64_t size) {
    return parse_range(value, size).outcome();
}

using list = std::vector<byte_range>;

TEST(ranges, single) {
    EXPECT_EQ(ranges("bytes=0-499", 10'000), (list{{0, 499}}));
    EXPECT_EQ(ranges("bytes=500-999", 10'000), (list{{500, 999}}));
    EXPECT_EQ(ranges("bytes=9500-", 10'000), (list{{9500, 9999}}));
    EXPECT_EQ(ranges("bytes=-500", 10'000), (list{{9500, 9999}}));
    EXPECT_EQ(ranges("bytes=0-0", 10'000), (list{{0, 0}}));
    EXPECT_EQ(ranges("bytes=-1", 10'000), (list{{9999, 9999}}));
    EXPECT_EQ(ranges("bytes=0-", 1), (list{{0, 0}}));
    EXPECT_EQ(ranges("BYTES=0-1", 10), (list{{0, 1}}));
    EXPECT_EQ(ranges("bytes= 0-1 ", 10), (list{{0, 1}}));
    EXPECT_EQ(ranges("bytes=,,0-1,", 10), (list{{0, 1}}));
}

TEST(ranges, are_cut_to_the_file) {
    EXPECT_EQ(ranges("bytes=5-10", 10), (list{{5, 9}}));
    EXPECT_EQ(ranges("bytes=5-99999999999999999999999999", 10), (list{{5, 9}}));
    EXPECT_EQ(ranges("bytes=-11", 10), (list{{0, 9}}));
    EXPECT_EQ(ranges("bytes=-99999999999999999999999999", 10), (list{{0, 9}}));
    EXPECT_EQ(ranges("bytes=9-18446744073709551615", 10), (list{{9, 9}}));
}

TEST(ranges, outside_the_file_cannot_be_satisfied) {
    for (const char* value : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-",
                              "bytes=10-,20-30,-0", "bytes=18446744073709551615-"})
        EXPECT_EQ(outcome(value, 10), range_outcome::unsatisfiable) << value;
    EXPECT_EQ(outcome("bytes=0-", 0), range_outcome::unsatisfiable);
    EXPECT_EQ(outcome("bytes=0-0", 0), range_outcome::unsatisfiable);
    EXPECT_EQ(outcome("bytes=-0", 0), range_outcome::unsatisfiable);
    EXPECT_EQ(outcome("bytes=-5", 0), range_outcome::whole)
        << "satisfiable, but without a Content-Range";
    EXPECT_EQ(ranges("bytes=10-20,0-1", 10), (list{{0, 1}})) << "one that can is enough";
}

TEST(ranges, that_cannot_be_read_are_ignored) {
    for (const char* value : {"",
                              "bytes",
                              "bytes=",
                              "bytes=,",
                              "bytes=-",
                              "bytes=a-b",
                              "bytes=1",
                              "bytes=1-0",
                              "bytes=5-4",
                              "bytes=0-1-2",
                              "bytes=--1",
                              "bytes=+1-2",
                              "bytes=0x0-1",
                              "bytes=1 -2",
                              "bytes=1- 2",
                              "bytes=0-1;",
                              "bytes=0-1 2-3",
                              "bytes:0-1",
                              "bytes =0-1",
                              "items=0-1",
                              "byte=0-1",
                              "0-1",
                              "bytes=0-1,x",
                              "bytes=0-1,5-4",
                              "none",
                              "bytes=\xc2\xb2-3"})
        EXPECT_EQ(outcome(value, 10), range_outcome::whole) << value;
}

TEST(ranges, several_keep_the_order_asked_for) {
    EXPECT_EQ(ranges("bytes=1000-1099,0-99,5000-", 6000),
              (list{{1000, 1099}, {0, 99}, {5000, 5999}}));
    EXPECT_EQ(ranges("bytes=0-0,-1", 1000), (list{{0, 0}, {999, 999}}));
}

TEST(ranges, that_overlap_or_nearly_touch_are_joined) {
    EXPECT_EQ(ranges("bytes=0-99,50-149", 1000), (list{{0, 149}}));
    EXPECT_EQ(ranges("bytes=50-149,0-99", 1000), (list{{0, 149}}));
    EXPECT_EQ(ranges("bytes=0-99,100-199", 1000), (list{{0, 199}}));
    EXPECT_EQ(ranges("bytes=0-99,179-199", 1000), (list{{0, 199}})) << "80 apart";
    EXPECT_EQ(ranges("bytes=0-99,180-199", 1000), (list{{0, 99}, {180, 199}})) << "81 apart";
    EXPECT_EQ(ranges("bytes=0-,0-,0-", 1000), (list{{0, 999}}));
    EXPECT_EQ(ranges("bytes=0-9,500-509,200-209,5-505", 1000), (list{{0, 509}}));
    EXPECT_EQ(ranges("bytes=0-9,900-909,500-509,5-505", 1000), (list{{0, 509}, {900, 909}}));
    EXPECT_EQ(ranges("bytes=900-910,0-9,400-409,9-400", 1000), (list{{900, 910}, {0, 409}}));
}

TEST(ranges, up_to_the_cap_are_served_and_one_more_gets_the_whole) {
    std::string value = "bytes=";
    for (std::size_t i = 0; i < ranges_max; ++i)
        value += std::to_string(i * 1000) + "-" + std::to_string(i * 1000) + ",";
    EXPECT_EQ(ranges(value, 100'000).size(), ranges_max);
    EXPECT_EQ(outcome(value + "90000-", 100'000), range_outcome::whole);
    EXPECT_EQ(outcome(value + "99999999-", 100'000), range_outcome::whole)
        << "unsatisfiable ones count";
    std::string many = "bytes=0-";
    for (int i = 0; i < 10'000; ++i) many += ",0-";
    EXPECT_EQ(outcome(many, 100'000), range_outcome::whole);
}

TEST(ranges, never_amount_to_more_than_the_file) {
    std::mt19937 random(5);
    for (int round = 0; round < 30'000; ++round) {
        const std::uint64_t size = random() % 2000;
        std::string value = "bytes=";
        for (auto left = 1 + random() % ranges_max; left > 0; --left) {
            const auto first = random() % 2100;
            const auto form = random() % 3;
            if (form != 0) value += std::to_string(first);
            value += '-';
            if (form == 0) value += std::to_string(first);
            if (form == 1) value += std::to_string(first + random() % 300);
            if (left > 1) value += ",";
        }
        const range_set set = parse_range(value, size);
        std::uint64_t sum = 0;
        for (const byte_range& range : set.ranges()) {
            ASSERT_LE(range.first, range.last) << value;
            ASSERT_LT(range.last, size) << value;
            sum += range.bytes();
            for (const byte_range& other : set.ranges())
                ASSERT_TRUE(&other == &range || other.first > range.last + range_gap_joined ||
                            range.first > other.last + range_gap_joined)
                    << value;
        }
        ASSERT_LE(sum, size) << value;
        ASSERT_EQ(set.outcome() == range_outcome::partial, !set.ranges().empty()) << value;
    }
}

TEST(multipart_bodies, are_as_long_as_announced_and_framed) {
    const multipart parts("text/plain", 1000, {0x0123456789abcdef, 0xfedcba9876543210});
    const list both{{0, 9}, {990, 999}};
    char buffer[1000];
    text_writer type(buffer);
    parts.put_content_type(type);
    EXPECT_EQ(type.text(), "multipart/byteranges; boundary=fedcba98765432100123456789abcdef");

    char body_buffer[1000];
    text_writer body(body_buffer);
    parts.put_part_head(body, both[0]);
    body.put("0123456789");
    parts.put_part_head(body, both[1]);
    body.put("0123456789");
    parts.put_end(body);
    EXPECT_EQ(body.text(),
              "\r\n--fedcba98765432100123456789abcdef\r\nContent-Type: text/plain\r\n"
              "Content-Range: bytes 0-9/1000\r\n\r\n0123456789"
              "\r\n--fedcba98765432100123456789abcdef\r\nContent-Type: text/plain\r\n"
              "Content-Range: bytes 990-999/1000\r\n\r\n0123456789"
              "\r\n--fedcba98765432100123456789abcdef--\r\n");
    EXPECT_EQ(parts.body_bytes(both), body.wanted());
}

}  // namespace
