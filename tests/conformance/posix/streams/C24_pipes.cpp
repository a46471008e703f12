#include <fcntl.h>
#include <limits.h>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C24_a_pipe_without_a_reader_or_a_writer_says_so) {
    run([&]() -> task<> {
        auto no_reader = pipe::open().value();
        no_reader.reader = {};
        co_await turns(1);
        EXPECT_EQ((co_await no_reader.writer.write_all(bytes_of("x"))).cause,
                  std::errc::broken_pipe);
        auto no_writer = pipe::open().value();
        EXPECT_TRUE(co_await no_writer.writer.write_all(bytes_of("last")));
        EXPECT_TRUE(co_await no_writer.writer.close());
        auto got = co_await read_to_end(no_writer.reader);
        EXPECT_EQ(got.text, "last");
        EXPECT_EQ(got.end, errc::end_of_stream);
    });
}

TEST_P(every_form, C24_a_full_pipe_holds_up_its_writer_and_loses_nothing) {
    run([&]() -> task<> {
        auto ends = pipe::open().value();
        const std::string sent = counted_text(1'000'000);
        running writing(home(), ends.writer.write_all(bytes_of(sent)));
        co_await turns(5);
        EXPECT_FALSE(writing.done());
        std::string got(sent.size(), ' ');
        EXPECT_TRUE(co_await ends.reader.read_exactly(bytes_in(got)));
        EXPECT_TRUE(got == sent);
        co_await writing.ended();
        EXPECT_TRUE(writing.outcome());
    });
}

TEST_P(every_form, C24_short_writes_of_several_to_one_pipe_are_not_mixed) {
    run([&]() -> task<> {
        auto ends = pipe::open().value();
        constexpr int writers = 4;
        constexpr int records = 40;
        scope writing(home().root());
        // Each writer has a descriptor of its own, as other processes would. It does not block from
        // the start: the first that is closed would restore that for all.
        const native_handle shared = ends.writer.release().value();
        ::fcntl(static_cast<int>(shared), F_SETFL, O_WRONLY | O_NONBLOCK);
        auto write = [&](int writer) -> task<> {
            auto mine = pipe::adopt(descriptor::copy_of(shared).value().release()).value();
            const std::string record(PIPE_BUF, static_cast<char>('a' + writer));
            for (int count = 0; count < records; ++count)
                EXPECT_TRUE(co_await mine.write_all(bytes_of(record)));
        };
        for (int writer = 0; writer < writers; ++writer) writing.spawn_now(write(writer), "writer");
        std::string got(PIPE_BUF, ' ');
        for (int count = 0; count < writers * records; ++count) {
            EXPECT_TRUE(co_await ends.reader.read_exactly(bytes_in(got)));
            CO_ASSERT(got == std::string(PIPE_BUF, got[0]));
        }
        co_await writing.join();
        descriptor(shared).close();
    });
}

}  // namespace upcall::test
