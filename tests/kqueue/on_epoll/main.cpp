// Runs tests on the driver kqueue over queue_of_epoll.cpp.
#include <gtest/gtest.h>

#include <cstdlib>

int main(int count, char** arguments) {
    ::setenv("UPCALL_TEST_DRIVER", "kqueue", 1);
    ::setenv("UPCALL_TEST_QUEUE_OF_EPOLL", "", 1);
    ::testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
