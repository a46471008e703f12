// ./dev's commands as they are, on a repository whose tools do nothing.
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "programs/served_site.hpp"
#include "support/tree.hpp"

namespace upcall::testing {
namespace {

class dev_commands : public ::testing::Test {
  protected:
    dev_commands() {
        namespace fs = std::filesystem;
        const fs::path source = test::source_dir;
        fs::create_directories(tree_.path() / "tools/lib");
        fs::create_directories(tree_.path() / "build/release/bin");
        fs::copy(source / "dev", tree_.path() / "dev");
        fs::copy(source / "tools/dev", tree_.path() / "tools/dev");
        fs::copy(source / "tools/lib/common.sh", tree_.path() / "tools/lib/common.sh");
        tree_.put("tools/lib/packages.sh",
                  "packages_build=(none)\npackages_test=(none)\n"
                  "need_packages() { :; }\nneed_llhttp() { :; }\n");
        tree_.put("tools/lib/build.sh",
                  "configure_release() { :; }\nconfigure_release_with_tests() { :; }\n"
                  "build() { :; }\n");
        tree_.put("tools/lib/stages.sh", "");
        tree_.put("tools/lib/tests.sh", "");
        tree_.put("build/release/bin/upcall", "#!/bin/sh\necho \"$*\"\n");
        fs::permissions(tree_.path() / "build/release/bin/upcall", fs::perms::owner_all);
    }

    std::string dev(const std::string& words) {
        const std::string line = "'" + (tree_.path() / "dev").string() + "' " + words;
        std::FILE* from = ::popen(line.c_str(), "r");
        std::string text;
        for (int one; from && (one = std::fgetc(from)) != EOF;) text += static_cast<char>(one);
        const int ended = from ? ::pclose(from) : -1;
        status_ = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
        return text;
    }
    int status_ = 0;

    scratch_site tree_;
};

TEST_F(dev_commands, run_says_what_it_builds_and_listens_where_it_is_told) {
    const std::string built = "==> building the upcall command in build/release\n";
    EXPECT_EQ(dev("run"), built + "serve site --listen 127.0.0.1:8080\n");
    EXPECT_EQ(dev("run --loops 1"), built + "serve site --listen 127.0.0.1:8080 --loops 1\n");
    EXPECT_EQ(dev("run --listen 9"), built + "serve site --listen 9\n");
    EXPECT_EQ(dev("run --loops 1 --listen=9"), built + "serve site --loops 1 --listen=9\n");
}

TEST_F(dev_commands, refuse_what_they_do_not_know) {
    struct {
        const char* words;
        const char* problem;
        const char* usage;
    } const refused[] = {
        {"test --bogus", "'--bogus' is not an option", "./dev test [regex]"},
        {"test one two", "'two' is one argument too many", "./dev test [regex]"},
        {"build -j4", "'-j4' is not an option", "./dev build [target…]"},
        {"setup all", "'all' is one argument too many", "./dev setup"},
        {"soak --days 1", "'--days' is not an option", "./dev soak [--hours N | --minutes N]"},
        {"soak --hours", "--hours '': must be a number", "./dev soak [--hours N | --minutes N]"},
        {"soak --hours 1h", "--hours '1h': must be a number",
         "./dev soak [--hours N | --minutes N]"},
        {"soak --minutes 0", "--minutes 0: must be above 0",
         "./dev soak [--hours N | --minutes N]"},
        {"check --all", "'--all' is not an option",
         "./dev check [stage…], of format clang tidy debug address thread windows fuzz"},
        {"check all", "'all' is not a stage",
         "./dev check [stage…], of format clang tidy debug address thread windows fuzz"},
    };
    for (const auto& [words, problem, usage] : refused) {
        EXPECT_EQ(dev(std::string(words) + " 2>&1"),
                  "dev: " + std::string(problem) + "\nusage: " + usage + "\n");
        EXPECT_EQ(status_, 2) << words;
    }
    EXPECT_EQ(dev("test --help"), "usage: ./dev test [regex]\n");
    EXPECT_EQ(status_, 0);
    EXPECT_EQ(dev("--bogus 2>&1"), "dev: '--bogus' is not a command; try ./dev help\n");
    EXPECT_EQ(status_, 2);
}

TEST_F(dev_commands, build_says_where_the_programs_are) {
    EXPECT_NE(dev("build").find("build/release/bin"), std::string::npos);
}

}  // namespace
}  // namespace upcall::testing
