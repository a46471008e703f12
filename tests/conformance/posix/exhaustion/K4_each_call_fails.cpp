#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"
#include "support/next_call.hpp"

#ifdef UPCALL_TEST_SANITIZED

namespace upcall::test {

TEST_P(every_driver, K4_whichever_system_call_fails_its_operation_says_so_and_the_next_works) {
    UPCALL_SKIP("the calls that it lets fail are those in which a sanitizer looks on");
}

}  // namespace upcall::test

#else

namespace upcall::test {

namespace {

/// Of the calls below, which one fails next: 1 for the next; 0: none. And with what.
std::atomic<int> failing_call = 0;
std::atomic<int> call_error = 0;

bool call_fails() {
    if (failing_call <= 0 || --failing_call != 0) return false;
    errno = call_error;
    return true;
}

}  // namespace
}  // namespace upcall::test

// These stand before the C library's.
extern "C" ssize_t recv(int fd, void* to, std::size_t size, int flags) {
    static constinit upcall::test::next_call<ssize_t(int, void*, std::size_t, int)> real("recv");
    return upcall::test::call_fails() ? -1 : real(fd, to, size, flags);
}
extern "C" ssize_t send(int fd, const void* from, std::size_t size, int flags) {
    static constinit upcall::test::next_call<ssize_t(int, const void*, std::size_t, int)> real(
        "send");
    return upcall::test::call_fails() ? -1 : real(fd, from, size, flags);
}
extern "C" ssize_t pread(int fd, void* to, std::size_t size,
                         off_t offset) noexcept(noexcept(::pread(fd, to, size, offset))) {
    static constinit upcall::test::next_call<ssize_t(int, void*, std::size_t, off_t)> real("pread");
    return upcall::test::call_fails() ? -1 : real(fd, to, size, offset);
}
extern "C" ssize_t pwrite(int fd, const void* from, std::size_t size,
                          off_t offset) noexcept(noexcept(::pwrite(fd, from, size, offset))) {
    static constinit upcall::test::next_call<ssize_t(int, const void*, std::size_t, off_t)> real(
        "pwrite");
    return upcall::test::call_fails() ? -1 : real(fd, from, size, offset);
}

namespace upcall::test {

namespace {

/// What has been seen of errors: none, or the one that was planted.
struct outcomes {
    int told = 0;
    void note(const std::error_code& why) {
        if (!why) return;
        ++told;
        EXPECT_EQ(why, std::error_code(call_error, std::generic_category())) << why.message();
    }
};

task<> exchange(stream_pair& over, file& data, outcomes& seen) {
    const transfer wrote = co_await over.client.write_all(bytes_of("ping"));
    seen.note(wrote.cause);
    if (wrote) {
        std::string got(4, ' ');
        seen.note((co_await over.server.read_exactly(bytes_in(got))).cause);
    }
    const transfer kept = co_await data.write_all_at(bytes_of("data"), 0);
    seen.note(kept.cause);
    std::byte room[4];
    const result<std::size_t> got = co_await data.read_at(byte_span(room), 0);
    if (!got) seen.note(got.error());
}

}  // namespace

TEST_P(every_driver, K4_whichever_system_call_fails_its_operation_says_so_and_the_next_works) {
    if (runs_on("uring"))
        UPCALL_SKIP("the calls are made by the kernel, which cannot be made to fail at will");
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        for (const int error : {EINTR, ENOBUFS, ENOMEM, EIO}) {
            int told = 0;
            int n = 1;
            for (bool failed = true; failed; ++n) {
                CO_ASSERT(n < 100);
                auto over = co_await connected();
                outcomes seen;
                call_error = error;
                failing_call = n;
                co_await exchange(over, data, seen);
                failed = failing_call <= 0;
                failing_call = 0;
                EXPECT_LE(seen.told, 1);
                told += seen.told;
                outcomes after;
                auto fresh = co_await connected();
                co_await exchange(fresh, data, after);
                EXPECT_EQ(after.told, 0);
            }
            EXPECT_GE(n, 4) << "four operations make four calls at least";
            if (error == EINTR) {
                EXPECT_EQ(told, 0) << "an interrupted call is made again";
            } else {
                EXPECT_GE(told, 3);
            }
        }
    });
}

}  // namespace upcall::test

#endif
