#include <limits.h>
#include <sys/mman.h>

#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C15_any_number_of_pieces_is_written_in_order) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        for (const std::size_t count :
             std::initializer_list<std::size_t>{1, 2, IOV_MAX, IOV_MAX + 1, 100'000}) {
            const std::string sent = counted_text(count * 10);
            std::vector<io_slice> pieces;
            for (std::size_t at = 0; at < count; ++at)
                pieces.emplace_back(bytes_of(sent).subspan(at * 10, 10));
            running writing(home(), client.write_all(std::span<io_slice>(pieces)));
            std::string got(sent.size(), ' ');
            EXPECT_TRUE(co_await server.read_exactly(bytes_in(got)));
            EXPECT_TRUE(got == sent) << count << " pieces";
            co_await writing.ended();
            EXPECT_EQ(writing.outcome().bytes, sent.size());
        }
    });
}

TEST_P(every_form, C15_buffers_of_more_bytes_than_a_call_takes_are_split) {
    constexpr std::size_t size = std::size_t{5} << 30;  // more than 32 bits count
    void* zeros =
        ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(zeros, MAP_FAILED);
    const byte_view huge(static_cast<const std::byte*>(zeros), size);
    run([&]() -> task<> {
        raw_fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        auto sink = tcp::stream::adopt(null.get()).value();
        null.release();
        auto whole = co_await sink.write_all(huge);
        EXPECT_TRUE(whole) << whole.cause.message();
        EXPECT_EQ(whole.bytes, size);
        std::vector<io_slice> pieces(3, io_slice(huge.first(std::size_t{1} << 30)));
        auto vectored = co_await sink.write_all(std::span<io_slice>(pieces));
        EXPECT_TRUE(vectored) << vectored.cause.message();
        EXPECT_EQ(vectored.bytes, std::size_t{3} << 30);
    });
    ::munmap(zeros, size);
}

}  // namespace upcall::test
