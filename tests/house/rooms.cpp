// Each room includes only what docs/rooms.md allows it, and the check of that can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "include_rules.hpp"
#include "scratch_tree.hpp"
#include "support/tree.hpp"

namespace house {
namespace {

const std::filesystem::path source_dir = upcall::test::source_dir;

include_rules rules_of_the_house() { return read_include_rules(source_dir / "docs/rooms.md"); }

std::string lines(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& line : all) text += line + "\n";
    return text;
}

TEST(rooms, include_only_what_the_table_allows) {
    const auto rules = rules_of_the_house();
    ASSERT_FALSE(rules.rooms.empty());
    EXPECT_EQ(lines(forbidden_includes(rules, source_dir)), "");
}

TEST(rooms, use_only_rooms_above_them) {
    std::set<std::string> above;
    const auto rules = rules_of_the_house();
    ASSERT_GE(rules.order.size(), 14U);
    for (const auto& name : rules.order) {
        for (const auto& used : rules.rooms.at(name).uses)
            EXPECT_TRUE(above.contains(used)) << name << " uses " << used;
        above.insert(name);
    }
    const std::set<std::string> siblings = {"net", "durable", "observe", "sim"};
    for (const auto& name : siblings)
        for (const auto& used : rules.rooms.at(name).uses)
            EXPECT_FALSE(siblings.contains(used)) << name << " uses its sibling " << used;
}

struct planted {
    const char* file;
    const char* text;
    const char* complaint;  // empty: the include is allowed
};

void PrintTo(const planted& plant, std::ostream* out) { *out << plant.file << ": " << plant.text; }

class planted_include : public testing::TestWithParam<planted> {};

TEST_P(planted_include, is_judged) {
    scratch_tree tree;
    tree.write("include/upcall/base/result.hpp", "");
    tree.write("include/upcall/loop/loop.hpp", "");
    tree.write("src/loop/turn.hpp", "");
    tree.write("src/driver/uring/ring.hpp", "");
    tree.write("apps/serve/options.hpp", "");
    tree.write(GetParam().file, std::string("// first line\n") + GetParam().text + "\n");
    const std::string complaint = GetParam().complaint;
    const auto expected = complaint.empty()
                              ? std::string()
                              : std::string(GetParam().file) + ":2: " + complaint + "\n";
    EXPECT_EQ(lines(forbidden_includes(rules_of_the_house(), tree.root())), expected);
}

const planted plants[] = {
    {"include/upcall/task/task.hpp", "#include <upcall/loop/loop.hpp>", ""},
    {"include/upcall/base/buffer.hpp", "#include <upcall/loop/loop.hpp>",
     "base may not use loop (upcall/loop/loop.hpp)"},
    {"src/op/operation.cpp", "  #  include \"loop/turn.hpp\"",
     "op may not use loop (loop/turn.hpp)"},
    {"src/op/operation.cpp", "#include \"../loop/turn.hpp\"",
     "op may not use loop (../loop/turn.hpp)"},
    {"src/loop/loop.cpp", "#include \"turn.hpp\"", ""},
    {"src/loop/loop.cpp", "#include \"loop/turn.hpp\"", ""},
    {"src/driver/uring/driver.cpp", "#include \"ring.hpp\"", ""},
    {"src/driver/uring/driver.cpp", "#include <linux/io_uring.h>", ""},
    {"src/loop/loop.cpp", "#include <linux/io_uring.h>",
     "loop may not include the kernel header <linux/io_uring.h>"},
    {"src/io/tcp.cpp", "#include <sys/epoll.h>",
     "io may not include the kernel header <sys/epoll.h>"},
    {"include/upcall/loop/turn.hpp", "#include \"loop/turn.hpp\"",
     "a public header includes \"loop/turn.hpp\" of src/"},
    {"src/net/resolver.cpp", "#include <upcall/sim/world.hpp>",
     "net may not use sim (upcall/sim/world.hpp)"},
    {"src/attic/old.cpp", "#include <vector>", "the room attic has no row in docs/rooms.md"},
    {"include/upcall/upcall.hpp", "#include <upcall/loop/loop.hpp>", ""},
    {"src/loop/loop.cpp", "#include <upcall/upcall.hpp>",
     "loop may not use upcall/upcall.hpp (upcall/upcall.hpp)"},
    {"apps/serve/main.cpp", "#include <upcall/upcall.hpp>", ""},
    {"apps/serve/main.cpp", "#include \"options.hpp\"", ""},
    {"apps/main.cpp", "#include \"serve/options.hpp\"", ""},
    {"apps/serve/main.cpp", "#include \"driver/uring/ring.hpp\"",
     "a program includes \"driver/uring/ring.hpp\" of src/"},
    {"apps/serve/main.cpp", "#include <sys/epoll.h>",
     "apps/ may not include the kernel header <sys/epoll.h>"},
    {"apps/lab/main.cpp", "#include <sys/epoll.h>", ""},
    {"apps/lab/raw/ways.cpp", "#include <sys/epoll.h>", ""},
    {"apps/lab/raw/ways.cpp", "#include \"driver/uring/ring.hpp\"", ""},
    {"apps/lab/main.cpp", "#include \"loop/turn.hpp\"",
     "a program includes \"loop/turn.hpp\" of src/"},
    {"examples/echo.cpp", "#include \"../src/loop/turn.hpp\"",
     "a program includes \"../src/loop/turn.hpp\" of src/"},
    {"examples/echo.cpp", "#include <upcall/loop/detail/slots.hpp>",
     "a program includes the machinery <upcall/loop/detail/slots.hpp>"},
    {"examples/echo.cpp", "#include <linux/io_uring.h>",
     "examples/ may not include the kernel header <linux/io_uring.h>"},
    {"examples/echo.cpp", "#include <vector>", ""},
};

INSTANTIATE_TEST_SUITE_P(rooms, planted_include, testing::ValuesIn(plants));

}  // namespace
}  // namespace house
