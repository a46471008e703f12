#include <sys/stat.h>

#include <filesystem>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E10_what_is_wrong_with_a_path_or_a_file_is_named) {
    run([&]() -> task<> {
        namespace fs = std::filesystem;
        const std::string path = scratch("data");
        EXPECT_TRUE(co_await file::open(path, open_write | open_create));
        auto read_only = (co_await file::open(path, open_read)).value();
        auto write_only = (co_await file::open(path, open_write)).value();
        std::byte room[4]{};
        EXPECT_EQ((co_await read_only.write_at(byte_view(room), 0)).error(),
                  std::errc::bad_file_descriptor);
        EXPECT_EQ((co_await write_only.read_at(room, 0)).error(), std::errc::bad_file_descriptor);

        const auto error_of_open = [](std::string name, std::uint32_t how) {
            return error_from(file::open(std::move(name), how));
        };
        fs::create_symlink("loop", scratch("loop"));
        EXPECT_EQ(co_await error_of_open(scratch("absent"), open_read),
                  std::errc::no_such_file_or_directory);
        EXPECT_EQ(co_await error_of_open(scratch(""), open_write), std::errc::is_a_directory);
        EXPECT_EQ(co_await error_of_open(path + "/below", open_read), std::errc::not_a_directory);
        EXPECT_EQ(co_await error_of_open(scratch("loop"), open_read),
                  std::errc::too_many_symbolic_link_levels);
        EXPECT_EQ(co_await error_of_open(scratch(std::string(300, 'n')), open_read),
                  std::errc::filename_too_long);
        EXPECT_EQ(co_await error_of_open(std::string(5000, '/') + "x", open_read),
                  std::errc::filename_too_long);
        EXPECT_EQ(co_await error_of_open(path, open_write | open_create | open_exclusive),
                  std::errc::file_exists);
        EXPECT_EQ(co_await error_of_open(std::string("a\0b", 3), open_read),
                  std::errc::invalid_argument);
        EXPECT_EQ(co_await error_of_open("", open_read), std::errc::no_such_file_or_directory);
        EXPECT_EQ((co_await remove_directory(path)).error(), std::errc::not_a_directory);
        EXPECT_EQ((co_await make_directory(path)).error(), std::errc::file_exists);
        EXPECT_EQ((co_await rename(scratch("absent"), path)).error(),
                  std::errc::no_such_file_or_directory);

        // A file that was deleted while it is open goes on.
        auto open_and_gone = (co_await file::open(path, open_read | open_write)).value();
        EXPECT_TRUE(co_await remove_file(path));
        EXPECT_TRUE(co_await open_and_gone.write_all_at(bytes_of("still here"), 0));
        EXPECT_EQ((co_await open_and_gone.status())->links, 0U);
    });
}

TEST_P(every_form_with_files, E10_a_file_that_is_not_ours_to_open_is_refused) {
    const std::string path = scratch("secret");
    {
        const raw_fd secret(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0));
        ::chmod(scratch("").c_str(), 0755);
    }
    in_child(
        [&] {
            run([&]() -> task<> {
                EXPECT_EQ(co_await error_from(file::open(path, open_read)),
                          std::errc::permission_denied);
                EXPECT_EQ(co_await error_from(file::open(path + "2", open_write | open_create)),
                          ::getuid() == 65534 ? std::errc::permission_denied : std::errc{});
            });
        },
        [&]() -> std::string {
            if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
                return "the superuser's privileges cannot be given up";
            return "";
        });
}

}  // namespace upcall::test
