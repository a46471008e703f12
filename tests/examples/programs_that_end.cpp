// The examples that do one thing and end: copy_file, durable_log, timeouts, pipeline,
// simulated_server, simulated_log, three_styles.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/program.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

std::string content_of(const std::string& name) {
    std::ifstream from(name, std::ios::binary);
    std::ostringstream all;
    all << from.rdbuf();
    return all.str();
}

TEST(copy_file, copies_all_of_it) {
    const scratch_folder folder;
    // More than one piece, and not a whole number of them.
    std::string text((std::size_t{33} << 20) + 12'345, '\0');
    for (std::size_t at = 0; at < text.size(); ++at)
        text[at] = static_cast<char>(at * 31 + at / 997);
    std::ofstream(folder / "from", std::ios::binary) << text;
    std::ofstream(folder / "to", std::ios::binary) << "what was there before";
    program copying("copy_file", {folder / "from", folder / "to"});
    EXPECT_NE(copying.rest().find("copied " + std::to_string(text.size()) + " bytes"),
              std::string::npos);
    EXPECT_EQ(copying.wait(), 0);
    EXPECT_TRUE(content_of(folder / "to") == text);
    EXPECT_EQ(folder.files(), 2U) << "nothing else is left";
}

TEST(copy_file, copies_nothing_of_an_empty_file) {
    const scratch_folder folder;
    std::ofstream(folder / "from", std::ios::binary) << "";
    EXPECT_EQ(program("copy_file", {folder / "from", folder / "to"}).wait(), 0);
    EXPECT_EQ(content_of(folder / "to"), "");
    EXPECT_EQ(folder.files(), 2U);
}

TEST(copy_file, says_what_went_wrong) {
    const scratch_folder folder;
    EXPECT_EQ(program("copy_file", {folder / "missing", folder / "to"}).wait(), 1);
    EXPECT_EQ(folder.files(), 0U);
    std::ofstream(folder / "from", std::ios::binary) << "text";
    std::filesystem::create_directory(folder / "to");
    EXPECT_EQ(program("copy_file", {folder / "from", folder / "to"}).wait(), 1);
    EXPECT_EQ(folder.files(), 2U) << "the unfinished copy is removed";
    EXPECT_EQ(program("copy_file", {}).wait(), 2);
}

TEST(copy_file, blames_the_directory_that_was_to_be_copied) {
    const scratch_folder folder;
    std::filesystem::create_directory(folder / "from");
    program copying("copy_file", {folder / "from", folder / "to"}, {.read_errors = true});
    EXPECT_EQ(copying.wait(), 1);
    EXPECT_EQ(copying.errors().rest(), folder / "from" + ": Is a directory\n");
    EXPECT_EQ(folder.files(), 1U);
}

TEST(three_styles, read_the_same) {
    const scratch_folder folder;
    std::ofstream(folder / "file", std::ios::binary) << "hello";
    program shown("three_styles", {folder / "file"});
    EXPECT_EQ(shown.rest(), "awaited: 5 bytes\ncallback: 5 bytes\nfuture: 5 bytes\n");
    EXPECT_EQ(shown.wait(), 0);
    EXPECT_EQ(program("three_styles", {folder / "missing"}).wait(), 1);
}

/// What durable_log finds in the log when it starts, having added `records` to it.
std::string log_with(const std::string& name, const std::string& records, int expected_end = 0) {
    program logging("durable_log", {name});
    logging.say(records);
    logging.end_input();
    const std::string held = logging.rest();
    EXPECT_EQ(logging.wait(), expected_end);
    return held;
}

TEST(durable_log, keeps_what_it_was_given) {
    const scratch_folder folder;
    std::string records;
    for (int count = 0; count < 500; ++count) records += "record " + std::to_string(count) + "\n";
    EXPECT_EQ(log_with(folder / "log", records), "");
    EXPECT_EQ(log_with(folder / "log", "one more\n\n"), records);
    EXPECT_EQ(log_with(folder / "log", ""), records + "one more\n\n");
    EXPECT_EQ(folder.files(), 1U);
}

TEST(durable_log, cuts_off_a_torn_record_and_goes_on_behind_the_whole_ones) {
    const scratch_folder folder;
    EXPECT_EQ(log_with(folder / "log", "one\ntwo\nthree\n"), "");
    const std::string whole = content_of(folder / "log");
    for (std::size_t size = whole.size() - 12; size < whole.size(); ++size) {
        std::filesystem::remove(folder / "log");
        std::ofstream(folder / "log", std::ios::binary) << whole.substr(0, size);
        EXPECT_EQ(log_with(folder / "log", "four\n"), "one\ntwo\n") << size;
        EXPECT_EQ(log_with(folder / "log", ""), "one\ntwo\nfour\n") << size;
    }
    std::string garbled = whole;
    garbled[whole.size() - 1] ^= 1;
    std::ofstream(folder / "log", std::ios::binary) << garbled;
    EXPECT_EQ(log_with(folder / "log", ""), "one\ntwo\n");
    std::ofstream(folder / "log", std::ios::binary) << whole << std::string(100, '\0');
    EXPECT_EQ(log_with(folder / "log", ""), "one\ntwo\nthree\n") << "zeros are no records";
}

TEST(durable_log, refuses_what_it_cannot_keep) {
    const scratch_folder folder;
    EXPECT_EQ(log_with(folder / "log", std::string((1 << 20) + 1, 'x') + "\nshort\n", 1), "");
    EXPECT_EQ(log_with(folder / "log", ""), "short\n");
    EXPECT_EQ(log_with(folder / "none/log", "", 1), "");
    EXPECT_EQ(program("durable_log", {}).wait(), 2);
}

TEST(timeouts, tell_the_causes_apart) {
    program shown("timeouts", {});
    EXPECT_EQ(shown.line(), "read: took too long");
    EXPECT_EQ(shown.line(), "read again: was in time, 5 bytes");
    EXPECT_EQ(shown.line(), "answer: took too long");
    EXPECT_EQ(shown.line(), "first: number 0; the other was not needed any more");
    EXPECT_EQ(shown.line(), "work: took too long");
    EXPECT_EQ(shown.line(), "clean-up: done");
    EXPECT_EQ(shown.rest(), "");
    EXPECT_EQ(shown.wait(), 0);
}

TEST(pipeline, counts_every_word_once) {
    const scratch_folder folder;
    std::string text = "a bb ccc\n";
    for (int count = 0; count < 20'000; ++count) text += count % 2 == 0 ? "four\t" : "sixsix\n ";
    program counting("pipeline", {});
    // It reads while we write, so the pipe's own room does not matter.
    counting.say(text + "seven77");
    counting.end_input();
    EXPECT_EQ(counting.rest(), "1: 1\n2: 1\n3: 1\n4: 10000\n6: 10000\n7: 1\n");
    EXPECT_EQ(counting.wait(), 0);
}

// Also that the faults are felt: a simulation in which nothing breaks would test little.
TEST(simulated_server, finds_nothing_wrong_and_says_what_it_saw) {
    program simulated("simulated_server", {"1", "20"});
    const std::string seen = simulated.line();
    EXPECT_TRUE(seen.starts_with("20 seeds: ") && seen.ends_with(", none wrong")) << seen;
    EXPECT_EQ(seen.find(" 0 connections whole"), seen.npos) << seen;
    EXPECT_EQ(seen.find(", 0 broken"), seen.npos) << seen;
    EXPECT_EQ(simulated.wait(), 0);
}

TEST(simulated_log, loses_nothing) {
    program simulated("simulated_log", {});
    EXPECT_EQ(simulated.rest(), "1000 seeds, and nothing was lost\n");
    EXPECT_EQ(simulated.wait(), 0);
}

TEST(simulated_log, is_found_out_when_it_forgets_a_sync_and_can_be_replayed) {
    const scratch_folder folder;
    program forgetting("simulated_log", {"--forget", folder / "case"});
    const std::string found = forgetting.rest();
    EXPECT_NE(found.find("failed: an acknowledged number is lost\n"), found.npos) << found;
    EXPECT_NE(found.find("log  -- the power fails --\n"), found.npos) << found;
    EXPECT_EQ(forgetting.wait(), 1);
    program again("simulated_log", {"--replay", folder / "case"});
    EXPECT_EQ(again.rest(), found);
    EXPECT_EQ(again.wait(), 1);
    EXPECT_EQ(program("simulated_log", {"--replay", folder / "missing"}).wait(), 2);
    EXPECT_EQ(program("simulated_log", {"--unknown"}).wait(), 2);
}

TEST(pipeline, ends_without_input) {
    program counting("pipeline", {});
    counting.end_input();
    EXPECT_EQ(counting.rest(), "");
    EXPECT_EQ(counting.wait(), 0);
}

}  // namespace
}  // namespace upcall::testing
