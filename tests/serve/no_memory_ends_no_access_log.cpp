// The n-th allocation fails, for n = 1, 2, …, while lines are written: some may be dropped, which
// the log then says, but those that follow are written. Went wrong: the writer ended, and its
// loop's server with it.
#include <fcntl.h>

#include <upcall/upcall.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include "serve/access_writer.hpp"
#include "serve/short_of_memory.hpp"
#include "support/scratch_folder.hpp"

namespace upcall_serve {
namespace {

using namespace upcall;
using namespace upcall::testing;

class access_log_short_of_memory : public short_of_memory {};
UPCALL_FOR_EVERY_LOOP(access_log_short_of_memory);

constexpr access_entry entry_for(std::string_view line) {
    return {.client = "192.0.2.1", .request_line = line, .status = 200};
}

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Something has been written.
task<> written(const std::filesystem::path& path) {
    std::error_code none;
    while (std::filesystem::file_size(path, none) == 0) {
        const auto waited = co_await sleep(std::chrono::milliseconds(1));
        if (!waited) co_return;
    }
}

TEST_P(access_log_short_of_memory, goes_on) {
    const scratch_folder folder;
    const std::filesystem::path path = folder / "access.log";
    upcall_serve::options settings;
    settings.access_log = path.string();
    std::atomic<bool> reopen_failed = false;
    std::size_t failures = 0;
    run([&]() -> task<> {
        for (bool failed = true; failed;) {
            auto opened = co_await open_access_log(*settings.access_log);
            access_writer log(settings, reopen_failed);
            EXPECT_TRUE(log.open(std::move(opened.value())));
            co_await with_scope([&](scope& services) -> task<> {
                task<> waits = written(path);
                {
                    failing_allocation one(++failures);
                    log.note(entry_for("GET /first HTTP/1.1"));
                    try {
                        services.spawn_now(log.run(), "access log");
                    } catch (const std::bad_alloc&) {  // the program's own
                        co_return;
                    }
                    co_await std::move(waits);
                    failed = one.failed();
                }
                log.note(entry_for("GET /second HTTP/1.1"));
                services.cancel();
            });
            const std::string lines = content(path);
            if (!lines.empty()) {
                EXPECT_TRUE(lines.contains("/first") || lines.contains("dropped")) << failures;
                EXPECT_TRUE(lines.contains("/second")) << failures << ": " << lines;
            }
            std::filesystem::remove(path);
        }
    });
    EXPECT_GT(failures, 5U);
}

}  // namespace
}  // namespace upcall_serve
