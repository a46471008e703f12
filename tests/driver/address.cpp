// Addresses are read and written in one form, and what is not one is refused.
#include <gtest/gtest.h>

#include <string>
#include <upcall/driver/address.hpp>

namespace upcall {
namespace {

class address_text : public testing::TestWithParam<const char*> {};

TEST_P(address_text, is_written_as_it_was_read) {
    const auto read = address::parse(GetParam());
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->to_string(), GetParam());
    EXPECT_EQ(*address::parse(read->to_string()), *read);
}

INSTANTIATE_TEST_SUITE_P(forms, address_text,
                         testing::Values("127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535",
                                         "[::]:0", "[::1]:8080", "[fe80::1%2]:80",
                                         "[2001:db8::1:0:0:1]:443", "[1:2:3:4:5:6:7:8]:1",
                                         "[1:0:3:0:5:0:7:0]:1", "[1:2:3:4:5:6::]:1",
                                         "[::ffff:10.0.0.1]:80", "unix:/tmp/socket",
                                         "unix:@abstract", "unix:relative"));

class not_an_address : public testing::TestWithParam<const char*> {};

TEST_P(not_an_address, is_refused) {
    const auto read = address::parse(GetParam());
    ASSERT_FALSE(read) << read->to_string();
    EXPECT_EQ(read.error(), std::errc::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(
    forms, not_an_address,
    testing::Values("", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                    "127.0.0.1:+80", "127.0.0.1: 80", "127.0.0:80", "127.0.0.1.1:80",
                    "127.0.0.256:80", "127.0.0.01:80", "127..0.1:80", "localhost:80", "::1:80",
                    "[]:80", "[:]:80", "[::1:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80",
                    "[1::2::3]:80", "[12345::]:80", "[1:]:80", "[:1]:80", "[g::]:80",
                    "[::1%eth0]:80", "[::1%]:80", "[1.2.3.4::]:80", "[::1.2.3.4:5]:80",
                    "[1:2:3:4:5:6:7:1.2.3.4]:80", "[1:2:3:4::5:6:7:8]:80", "unix:", "unix:@"));

TEST(address, reads_every_way_to_write_ipv6) {
    EXPECT_EQ(address::parse("[0:0:0:0:0:0:0:1]:80")->to_string(), "[::1]:80");
    EXPECT_EQ(address::parse("[2001:DB8:0:0:0:0:0:0]:80")->to_string(), "[2001:db8::]:80");
    EXPECT_EQ(address::parse("[::1.2.3.4]:80")->to_string(), "[::102:304]:80");
    EXPECT_EQ(address::parse("[1::]:80")->to_string(), "[1::]:80");
}

TEST(address, compares_every_part) {
    EXPECT_EQ(address::loopback(80), *address::parse("127.0.0.1:80"));
    EXPECT_FALSE(address::loopback(80) == address::loopback(81));
    EXPECT_FALSE(*address::parse("[fe80::1%2]:80") == *address::parse("[fe80::1%3]:80"));
    EXPECT_FALSE(*address::parse("unix:/a") == *address::parse("unix:/b"));
    EXPECT_FALSE(*address::parse("[::]:0") == address{});
}

TEST(address, refuses_unix_paths_that_name_nothing) {
    EXPECT_EQ(address::unix_path("").error(), std::errc::invalid_argument);
    EXPECT_EQ(address::unix_path("@").error(), std::errc::invalid_argument);
    EXPECT_EQ(address::unnamed_unix().family(), address_family::unix_path);
    EXPECT_EQ(address::unnamed_unix().path(), "");
}

TEST(address, refuses_unix_paths_that_do_not_fit) {
    const std::string longest(address::unix_path_max, 'x');
    EXPECT_EQ(address::unix_path(longest)->path(), longest);
    EXPECT_EQ(address::unix_path(longest + "x").error(), std::errc::filename_too_long);
    EXPECT_EQ(address::parse("unix:" + longest + "x").error(), std::errc::filename_too_long);
    EXPECT_EQ(address::unix_path("@" + longest)->path(), "@" + longest);
    EXPECT_EQ(address::unix_path("@" + longest + "x").error(), std::errc::filename_too_long);
    EXPECT_EQ(address::unix_path(std::string("a\0b", 3)).error(), std::errc::invalid_argument);
}

}  // namespace
}  // namespace upcall
