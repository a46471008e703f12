#include <csignal>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E8_a_write_that_crosses_the_size_limit_tells_how_much_went) {
    in_child([&] {
        std::signal(SIGXFSZ, SIG_IGN);  // the program's own decision, as setrlimit(2) says
        lowered_limit small(RLIMIT_FSIZE, 10'000);
        run([&]() -> task<> {
            auto data = (co_await file::open(scratch("limited"), open_write | open_create)).value();
            const std::string content = counted_text(65'536);
            auto cut = co_await data.write_all_at(bytes_of(content), 0);
            EXPECT_EQ(cut.cause, std::errc::file_too_large);
            EXPECT_EQ(cut.bytes, 10'000U);
            EXPECT_EQ((co_await data.status())->size, 10'000U);
            auto nothing = co_await data.write_at(bytes_of(content), 20'000);
            EXPECT_EQ(nothing.error(), std::errc::file_too_large);
            EXPECT_TRUE(co_await data.write_all_at(bytes_of("still works"), 0));
        });
    });
}

}  // namespace upcall::test
