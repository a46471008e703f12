#include <set>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E4_appends_of_eight_writers_lose_and_tear_no_record) {
    constexpr int writers = 8;
    constexpr int records = 60;
    run([&]() -> task<> {
        const std::string path = scratch("log");
        scope writing(home().root());
        auto write = [&](int writer) -> task<> {
            auto log = (co_await file::open(path, open_write | open_create | open_append)).value();
            for (int record = 0; record < records; ++record) {
                std::string line = std::to_string(writer) + ":" + std::to_string(record);
                line.resize(40 + static_cast<std::size_t>(record), '.');
                line += '\n';
                EXPECT_EQ((co_await log.write_at(bytes_of(line), 0)).value_or(0), line.size());
            }
        };
        for (int writer = 0; writer < writers; ++writer) writing.spawn_now(write(writer), "writer");
        co_await writing.join();
        auto log = (co_await file::open(path, open_read)).value();
        std::string all((co_await log.status())->size, ' ');
        EXPECT_TRUE(co_await log.read_exactly_at(bytes_in(all), 0));
        std::set<std::string> seen;
        std::vector<int> next(writers);
        std::size_t at = 0;
        while (at < all.size()) {
            const std::size_t end = all.find('\n', at);
            const std::string line = all.substr(at, end - at);
            const int writer = line.at(0) - '0';
            const int record = std::stoi(line.substr(2));
            EXPECT_EQ(line.size(), 40U + static_cast<std::size_t>(record)) << line;
            EXPECT_EQ(record, next.at(static_cast<std::size_t>(writer))++) << line;
            at = end + 1;
        }
        for (const int count : next) EXPECT_EQ(count, records);
    });
}

}  // namespace upcall::test
