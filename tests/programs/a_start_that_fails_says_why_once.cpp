// What cannot be served is refused before anything is announced, in one line that names it.
#include <cstdlib>

#include "programs/served_site.hpp"

namespace upcall::testing {
namespace {

struct refusal {
    int status = 0;
    std::string announced;
    std::string errors;
};

refusal refused(std::vector<std::string> words, std::function<bool()> before = {}) {
    words.insert(words.begin(), "serve");
    words.insert(words.end(), {"--loops", "3", "--listen", "127.0.0.1:0"});
    program server("upcall", words, {.before = std::move(before), .read_errors = true});
    refusal seen;
    seen.announced = server.line();
    if (!seen.announced.empty()) server.ask(SIGTERM);
    seen.status = server.wait();
    seen.errors = server.errors().rest();
    return seen;
}

class failing_start : public ::testing::Test {
  protected:
    scratch_site site_;
};

TEST_F(failing_start, without_the_directory) {
    const std::string name = site_.path() / "missing";
    const refusal seen = refused({name});
    EXPECT_EQ(seen.status, 1);
    EXPECT_EQ(seen.announced, "");
    EXPECT_EQ(seen.errors,
              "upcall serve: cannot serve '" + name + "': No such file or directory\n");
}

TEST_F(failing_start, with_a_file_for_a_directory) {
    const std::string name = site_.path() / "index.html";
    const refusal seen = refused({name});
    EXPECT_EQ(seen.status, 1);
    EXPECT_EQ(seen.announced, "");
    EXPECT_EQ(seen.errors, "upcall serve: cannot serve '" + name + "': Not a directory\n");
}

TEST_F(failing_start, without_the_access_log) {
    const std::string name = site_.path() / "missing" / "log";
    const refusal seen = refused({site_.path().string(), "--access-log", name});
    EXPECT_EQ(seen.status, 1);
    EXPECT_EQ(seen.announced, "");
    EXPECT_EQ(seen.errors, "upcall serve: cannot write the access log '" + name +
                               "': No such file or directory\n");
}

// Went wrong: a directory can be opened, and counted as an empty page.
TEST_F(failing_start, without_an_error_page) {
    const std::string folder = site_.path();
    for (const auto& [name, why] : {std::pair{folder + "/missing", "No such file or directory"},
                                    {folder, "Is a directory"}}) {
        const refusal seen = refused({folder, "--error-page", "403=" + name});
        EXPECT_EQ(seen.status, 1);
        EXPECT_EQ(seen.announced, "");
        EXPECT_EQ(seen.errors,
                  "upcall serve: cannot read the page for 403 '" + name + "': " + why + "\n");
    }
}

TEST_F(failing_start, with_a_driver_that_there_is_not) {
    const refusal seen =
        refused({site_.path().string()}, [] { return ::setenv("UPCALL_DRIVER", "bogus", 1) == 0; });
    EXPECT_EQ(seen.status, 2);
    EXPECT_EQ(seen.announced, "");
    EXPECT_TRUE(seen.errors.starts_with("upcall serve: UPCALL_DRIVER: 'bogus' is none of auto, "))
        << seen.errors;
    EXPECT_EQ(seen.errors.find("bogus"), seen.errors.rfind("bogus")) << seen.errors;
}

}  // namespace
}  // namespace upcall::testing
