// A window draws while a loop of ours works inside its GLib, and the work is done: shown on a
// display that is nowhere but in memory.
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/program.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

constexpr const char* display_server = "/usr/bin/Xvfb";

// Both ends of a thousand connections, and what a program has open anyway.
constexpr rlim_t descriptors_needed = 2'100;

/// Ends with its last client only when it is told to, and takes its files in /tmp with it then.
class display_in_memory {
  public:
    display_in_memory()
        : server_(display_server,
                  {"-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"},
                  {.read_errors = true}),
          number_(server_.line()) {}
    display_in_memory(const display_in_memory&) = delete;
    display_in_memory& operator=(const display_in_memory&) = delete;
    ~display_in_memory() {
        server_.ask(SIGTERM);
        server_.wait();
    }

    bool is_there() const { return !number_.empty(); }
    /// For DISPLAY.
    std::string name() const { return ":" + number_; }

  private:
    program server_;
    std::string number_;
};

/// A portable pixmap of black and white.
class picture {
  public:
    explicit picture(const std::string& file) {
        std::ifstream from(file, std::ios::binary);
        std::string kind;
        int brightest = 0;
        from >> kind >> width_ >> height_ >> brightest;
        from.get();
        pixels_.assign(std::istreambuf_iterator<char>(from), {});
        EXPECT_EQ(kind, "P6");
        EXPECT_EQ(pixels_.size(), static_cast<std::size_t>(3 * width_ * height_));
    }

    int width() const { return width_; }
    int height() const { return height_; }
    /// In the rows from `top` to the one before `bottom`.
    int black_pixels(int top, int bottom) const {
        int count = 0;
        for (int at = top * width_; at < bottom * width_; ++at)
            if (pixels_.at(static_cast<std::size_t>(3 * at)) == '\0') ++count;
        return count;
    }

  private:
    int width_ = 0;
    int height_ = 0;
    std::string pixels_;
};

/// FNV-1a, eight bytes at a time and the rest byte by byte.
std::uint64_t hash_of(const std::string& text) {
    std::uint64_t hash = 14695981039346656037U;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        hash = (hash ^ word) * 1099511628211U;
    }
    for (; at < text.size(); ++at)
        hash = (hash ^ static_cast<unsigned char>(text[at])) * 1099511628211U;
    return hash;
}

class window_example : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(std::string(test::binary_dir) + "/bin/window"))
            GTEST_SKIP() << "window was not built: glib-2.0 or x11 was not found";
    }
};

TEST_F(window_example, says_that_it_has_no_display) {
    program shown("window", {"/dev/null"},
                  {.before = [] { return ::unsetenv("DISPLAY") == 0; }, .read_errors = true});
    EXPECT_EQ(shown.wait(), 1);
    EXPECT_EQ(shown.errors().rest(), "no display: is DISPLAY set?\n");
}

TEST_F(window_example, draws_while_a_file_is_hashed_and_connections_are_served) {
    if (!std::filesystem::exists(display_server))
        GTEST_SKIP() << display_server << " is not there (Debian's package xvfb)";
    rlimit descriptors{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    if (descriptors.rlim_max < descriptors_needed)  // the program raises the soft limit by itself
        GTEST_SKIP() << "it needs " << descriptors_needed << " descriptors, and the hard limit is "
                     << descriptors.rlim_max;
    const display_in_memory display;
    if (!display.is_there()) GTEST_SKIP() << display_server << " does not start here";
    const scratch_folder folder;
    std::string content((std::size_t{3} << 20) + 5, '\0');
    for (std::size_t at = 0; at < content.size(); ++at)
        content[at] = static_cast<char>(at * 31 + at / 997);
    std::ofstream(folder / "file", std::ios::binary) << content;
    char expected[96];
    std::snprintf(expected, sizeof expected,
                  "the file's hash is %016llx; 1000 of 1000 connections were answered",
                  static_cast<unsigned long long>(hash_of(content)));

    for (const bool blocking : {false, true}) {
        std::vector<std::string> words = {folder / "file", "1", "--picture", folder / "picture"};
        if (blocking) words.emplace_back("--blocking");
        program shown("window", words, {.before = [&] {
                          return ::setenv("DISPLAY", display.name().c_str(), 1) == 0;
                      }});
        const std::string about_frames = shown.line();
        int frames = 0;
        EXPECT_EQ(std::sscanf(about_frames.c_str(), "%d frames; ", &frames), 1) << about_frames;
        EXPECT_GE(frames, 3) << about_frames;
        EXPECT_EQ(shown.line(), expected);
        EXPECT_EQ(shown.wait(), 0);

        const picture seen(folder / "picture");
        ASSERT_EQ(seen.width(), 640);
        ASSERT_EQ(seen.height(), 320);
        EXPECT_EQ(seen.black_pixels(0, 20), 0) << "the margin is white";
        const int of_box = seen.black_pixels(50, 51);  // it wanders off at the right
        EXPECT_TRUE(of_box >= 4 && of_box <= 40 && of_box % 4 == 0) << of_box;
        for (const int line : {120, 150, 180})
            EXPECT_GT(seen.black_pixels(line - 10, line), 0) << "the text at " << line;
        EXPECT_EQ(seen.black_pixels(270, 271), 640) << "the line at 25 ms";
        EXPECT_GT(seen.black_pixels(310, 320), 0) << "the bars";
    }
}

}  // namespace
}  // namespace upcall::testing
