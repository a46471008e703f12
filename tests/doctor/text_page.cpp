// Text is wrapped to its width beside its label, and commands stay whole.
#include "doctor/text_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace upcall_doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(text_page, wraps_beside_the_label) {
    text_page page({30, false});
    page.item("label", "one two three four five six");
    EXPECT_EQ(page.text(),
              "  label        one two three\n"
              "               four five six\n");
}

TEST(text_page, a_label_too_long_pushes_only_its_own_line) {
    text_page page({40, false});
    page.item("/a/very/long/path", "one two three four five");
    EXPECT_EQ(page.text(),
              "  /a/very/long/path  one two three four\n"
              "               five\n");
}

TEST(text_page, a_word_longer_than_the_line_stands_alone) {
    text_page page({20, false});
    page.paragraph("a abcdefghijklmnopqrstuvwxyz b");
    EXPECT_EQ(page.text(), "  a\n  abcdefghijklmnopqrstuvwxyz\n  b\n");
}

TEST(text_page, a_command_is_not_broken) {
    text_page page({30, false});
    page.paragraph("As root: `sysctl -w kernel.io=0` and on.");
    EXPECT_EQ(page.text(), "  As root:\n  `sysctl -w kernel.io=0` and\n  on.\n");
}

TEST(text_page, an_open_backquote_does_no_harm) {
    text_page page({20, false});
    page.paragraph("a `b c");
    EXPECT_EQ(page.text(), "  a `b c\n");
}

TEST(text_page, no_line_is_wider_than_asked) {
    text_page page({60, false});
    const std::string words = "some words that go on and on, and then a little further still, ";
    page.heading("A heading");
    page.marked("interface", "yes", tone::good, words + words);
    page.advice(words + words);
    page.paragraph(words + words + words);
    std::istringstream lines(page.text());
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 60U) << line;
        EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
    }
}

TEST(text_page, colours_do_not_count_as_width) {
    const auto write = [](bool colours) {
        text_page page({40, colours});
        page.marked("epoll", "no", tone::bad, "one two three four five six seven eight");
        return page.text();
    };
    std::string coloured = write(true);
    EXPECT_THAT(coloured, HasSubstr("\x1b[31mno\x1b[0m"));
    for (const char* escape : {"\x1b[31m", "\x1b[0m"})
        coloured.erase(coloured.find(escape), std::string(escape).size());
    EXPECT_EQ(coloured, write(false));
    EXPECT_THAT(write(false), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace upcall_doctor
