// The repository's text holds no unfinished work, no overlong file and no path of one machine.
#include <gtest/gtest.h>

#include <string>

#include "scratch_tree.hpp"
#include "support/tree.hpp"
#include "text_rules.hpp"

namespace house {
namespace {

std::string lines(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& line : all) text += line + "\n";
    return text;
}

TEST(text, is_finished_short_and_free_of_local_paths) {
    using upcall::test::binary_dir, upcall::test::source_dir;
    EXPECT_EQ(lines(text_breaches(source_dir, {source_dir, binary_dir})), "");
}

TEST(text, planted_breaches_are_found) {
    const std::string unfinished = std::string("TO") + "DO";
    scratch_tree tree;
    tree.write("src/a.cpp",
               "int x;\nint y;  // " + unfinished + ": z\nint " + unfinished + "_count;\n");
    tree.write("src/long.cpp", std::string(601, '\n'));
    tree.write("src/just_short_enough.cpp", std::string(600, '\n'));
    tree.write("docs/long.md", std::string(601, '\n'));
    tree.write("tools/script",
               "cd /ho"
               "me/me/upcall\ncd ${there}/ho"
               "me/me\n");
    tree.write("CMakeLists.txt", "set(x \"/build/here/x\")\nset(x /build/hereafter)\n");
    tree.write("build/ignored.cpp", "// " + unfinished + "\n");
    EXPECT_EQ(lines(text_breaches(tree.root(), {"/build/here", "/src"})),
              "CMakeLists.txt:1: a path of one machine: /build/here\n"
              "src/a.cpp:2: unfinished: " +
                  unfinished +
                  "\n"
                  "src/long.cpp:601: a file of more than 600 lines\n"
                  "tools/script:1: a path of one machine: /ho"
                  "me/\n");
}

}  // namespace
}  // namespace house
