// The kernel's form of an address and back.
#include <gtest/gtest.h>
#include <sys/un.h>

#include <cstring>

#include "driver/posix/sockaddr.hpp"

namespace upcall {
namespace {

class kernel_form : public testing::TestWithParam<const char*> {};

TEST_P(kernel_form, is_read_back) {
    const auto given = *address::parse(GetParam());
    kernel_address native(given);
    EXPECT_EQ(from_kernel(native.storage, native.size), given);
    EXPECT_EQ(native.get()->sa_family, kernel_family(given.family()));
}

INSTANTIATE_TEST_SUITE_P(families, kernel_form,
                         testing::Values("127.0.0.1:80", "[fe80::1%2]:80", "unix:/tmp/socket",
                                         "unix:@abstract"));

TEST(kernel_address, of_nothing_is_empty) {
    EXPECT_EQ(kernel_address(address{}).size, 0U);
    EXPECT_EQ(from_kernel(sockaddr_storage{}, 0), address{});
}

TEST(kernel_address, unnamed_unix_socket_has_an_empty_path) {
    sockaddr_storage storage{};
    storage.ss_family = AF_UNIX;
    const auto read = from_kernel(storage, sizeof storage.ss_family);
    EXPECT_EQ(read.family(), address_family::unix_path);
    EXPECT_EQ(read.path(), "");
}

TEST(kernel_address, longest_names_survive) {
    const std::string longest(address::unix_path_max, 'x');
    for (const auto& path : {longest, "@" + longest}) {
        kernel_address native(*address::unix_path(path));
        EXPECT_EQ(native.size, sizeof(sockaddr_un));
        EXPECT_EQ(from_kernel(native.storage, native.size).path(), path);
    }
}

}  // namespace
}  // namespace upcall
