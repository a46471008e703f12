#include <sys/stat.h>
#include <unistd.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, M8_a_process_that_gave_up_its_privileges_opens_nothing_with_them) {
    if (::getuid() != 0) UPCALL_SKIP("only the superuser has privileges to give up");
    const std::string path = scratch("secret");
    {
        raw_fd secret(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        EXPECT_EQ(::write(secret.get(), "secret", 6), 6);
        ::chmod(scratch("").c_str(), 0755);
    }
    in_child([&] {
        run([&]() -> task<> {
            // The loop and its threads are there, and have opened it with privileges.
            EXPECT_TRUE(co_await file::open(path, open_read));
            CO_ASSERT(::setgid(65534) == 0 && ::setuid(65534) == 0);
            for (int tries = 0; tries < 20; ++tries) {
                auto opened = co_await file::open(path, open_read);
                CO_ASSERT(!opened);
                EXPECT_EQ(opened.error(), std::errc::permission_denied);
            }
            EXPECT_FALSE(co_await remove_file(path));
            EXPECT_FALSE(co_await rename(path, path + "2"));
            EXPECT_EQ(tcp::listener::bind("127.0.0.1:80").error(), std::errc::permission_denied);
        });
    });
}

}  // namespace upcall::test
