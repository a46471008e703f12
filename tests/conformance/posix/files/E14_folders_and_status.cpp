#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E14_status_and_listing_tell_what_the_system_tells) {
    run([&]() -> task<> {
        namespace fs = std::filesystem;
        const std::string folder = scratch("folder");
        EXPECT_TRUE(co_await make_directory(folder, 0750));
        for (int number = 0; number < 300; ++number)
            EXPECT_TRUE(co_await file::open(folder + "/file" + std::to_string(number),
                                            open_write | open_create));
        fs::create_symlink("file0", folder + "/link");
        EXPECT_TRUE(co_await make_directory(folder + "/below"));
        std::map<std::string, file_type> expected;
        for (const auto& entry : fs::directory_iterator(folder))
            expected[entry.path().filename()] = entry.is_symlink()     ? file_type::symbolic_link
                                                : entry.is_directory() ? file_type::directory
                                                                       : file_type::regular;
        auto listed = (co_await list_directory(folder)).value();
        std::map<std::string, file_type> got;
        for (const directory_entry& entry : listed) got[entry.name] = entry.type;
        EXPECT_EQ(listed.size(), got.size());
        EXPECT_TRUE(got == expected);
        auto open_folder = (co_await file::open(folder, open_read | open_directory)).value();
        EXPECT_EQ((co_await open_folder.list()).value().size(), expected.size());
        EXPECT_EQ((co_await open_folder.list()).value().size(), expected.size()) << "again";

        struct stat known{};
        EXPECT_EQ(::stat((folder + "/file7").c_str(), &known), 0);
        auto told = (co_await status("file7", &open_folder)).value();
        EXPECT_EQ(told.inode, known.st_ino);
        EXPECT_EQ(told.size, static_cast<std::uint64_t>(known.st_size));
        EXPECT_EQ(told.permissions, known.st_mode & 07777);
        EXPECT_EQ(told.type, file_type::regular);
        EXPECT_EQ(told.modified_ns, known.st_mtim.tv_sec * 1'000'000'000 + known.st_mtim.tv_nsec);
        EXPECT_EQ((co_await status(folder + "/link"))->inode,
                  (co_await status(folder + "/file0"))->inode);
    });
}

}  // namespace upcall::test
