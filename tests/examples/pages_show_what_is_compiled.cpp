// The programs that the documentation shows are those that are compiled, letter by letter.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "support/tree.hpp"

namespace upcall::testing {
namespace {

std::string content_of(const std::string& name) {
    std::ifstream from(std::string(test::source_dir) + "/" + name);
    std::ostringstream all;
    all << from.rdbuf();
    return all.str();
}

void expect_shown(const std::string& page, const std::string& example) {
    const std::string code = content_of(example);
    ASSERT_NE(code, "") << example;
    EXPECT_NE(content_of(page).find("```cpp\n" + code + "```\n"), std::string::npos)
        << page << " shows another program than " << example;
}

TEST(documentation, shows_programs_that_are_compiled) {
    expect_shown("README.md", "examples/twenty_lines.cpp");
    expect_shown("docs/simulation.md", "examples/simulated_server.cpp");
    expect_shown("docs/styles.md", "examples/three_styles.cpp");
}

}  // namespace
}  // namespace upcall::testing
