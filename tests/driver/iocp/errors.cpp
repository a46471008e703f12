// Errors of Windows arrive as what POSIX calls them.
#include "driver/iocp/errors.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace upcall {
namespace {

TEST(iocp_errors, are_those_of_posix) {
    EXPECT_EQ(errno_of(ERROR_SUCCESS), 0);
    EXPECT_EQ(errno_of(WSAECONNREFUSED), ECONNREFUSED);
    EXPECT_EQ(errno_of(ERROR_CONNECTION_REFUSED), ECONNREFUSED);
    EXPECT_EQ(errno_of(ERROR_NETNAME_DELETED), ECONNRESET);
    EXPECT_EQ(errno_of(WSAECONNRESET), ECONNRESET);
    EXPECT_EQ(errno_of(ERROR_SEM_TIMEOUT), ETIMEDOUT);
    EXPECT_EQ(errno_of(ERROR_FILE_NOT_FOUND), ENOENT);
    EXPECT_EQ(errno_of(ERROR_OPERATION_ABORTED), ECANCELED);
    EXPECT_EQ(errno_of(ERROR_BROKEN_PIPE), EPIPE);
    EXPECT_EQ(errno_of(123456), EIO) << "what has no like";
}

TEST(iocp_errors, compare_with_the_standard_conditions) {
    EXPECT_EQ(error_from_raw(raw_of(WSAECONNREFUSED)), std::errc::connection_refused);
    EXPECT_EQ(error_from_raw(raw_of(ERROR_OPERATION_ABORTED)), std::errc::operation_canceled);
    EXPECT_EQ(error_from_raw(raw_of(WSAEADDRINUSE)), std::errc::address_in_use);
}

}  // namespace
}  // namespace upcall
