// `upcall lab` writes what it measured, says what it cannot do, and leaves no files behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#ifdef __linux__
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/program.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string content_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

struct lab_end {
    int status = 0;
    std::string output;
    std::string errors;
};

lab_end run_lab(std::vector<std::string> words) {
    words.insert(words.begin(), "lab");
    program lab("upcall", std::move(words), {.before = {}, .read_errors = true});
    lab_end end;
    end.output = lab.rest();
    end.errors = lab.errors().rest();
    end.status = lab.wait();
    return end;
}

/// Runs one experiment with as little time as there may be.
void expect_measured(const std::string& name) {
    const scratch_folder files;
    const scratch_folder results;
    const auto end = run_lab({"--quick", "--time", "0.01", "--only", name, "--dir", files.path(),
                              "--report", results / "lab.html", "--json", results / "lab.json"});
    EXPECT_EQ(end.status, 0) << end.output << end.errors;
    EXPECT_THAT(end.output, HasSubstr("A quick run of 1 experiment"));
    const std::string page = content_of(results / "lab.html");
    EXPECT_THAT(page, HasSubstr("<section id=\"" + name + "\">"));
    EXPECT_THAT(page, HasSubstr("<svg"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
    EXPECT_THAT(content_of(results / "lab.json"), HasSubstr("\"failure\": null"));
    EXPECT_EQ(files.files(), 0U);
}

TEST(lab, measures_batching) { expect_measured("batching"); }
TEST(lab, measures_threads) { expect_measured("threads"); }
TEST(lab, measures_storage) { expect_measured("storage"); }
TEST(lab, measures_head_of_line) { expect_measured("head-of-line"); }
TEST(lab, measures_reordering) { expect_measured("reordering"); }
TEST(lab, measures_cancel_races) { expect_measured("cancel-races"); }
TEST(lab, measures_connections) { expect_measured("connections"); }
TEST(lab, measures_readiness) { expect_measured("readiness"); }

TEST(lab, ends_when_it_is_interrupted) {
    const scratch_folder files;
    const scratch_folder results;
    program lab("upcall",
                {"lab", "--time", "10", "--only", "batching", "--dir", files.path(), "--report",
                 results / "lab.html"},
                {.before = {}, .read_errors = true});
    lab.line_after("A full run of 1 experiment");
    lab.ask(SIGINT);
    EXPECT_EQ(lab.wait(), 130);
    EXPECT_THAT(lab.errors().rest(), HasSubstr("interrupted; batching is left out"));
    EXPECT_EQ(files.files(), 0U);
    EXPECT_EQ(results.files(), 0U);
}

TEST(lab, writes_what_it_measured_until_it_was_interrupted) {
    const scratch_folder results;
    program lab("upcall",
                {"lab", "--time", "0.1", "--only", "batching,head-of-line", "--report",
                 results / "lab.html"},
                {.before = {}, .read_errors = true});
    lab.line_after("A full run of 2 experiments");
    lab.line();
    lab.line_after("What batching buys");
    lab.ask(SIGINT);
    EXPECT_EQ(lab.wait(), 130);
    EXPECT_THAT(lab.errors().rest(), HasSubstr("interrupted; head-of-line is left out"));
    const std::string page = content_of(results / "lab.html");
    EXPECT_THAT(page, HasSubstr("<section id=\"batching\">"));
    EXPECT_THAT(page, HasSubstr("It was interrupted in head-of-line"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(lab, names_its_experiments) {
    const auto end = run_lab({"--list"});
    EXPECT_EQ(end.status, 0);
    EXPECT_THAT(end.output, HasSubstr("batching "));
    EXPECT_THAT(end.output, HasSubstr("readiness "));
}

TEST(lab, refuses_what_it_does_not_know) {
    const auto refused = [](const std::vector<std::string>& words) {
        const auto end = run_lab(words);
        EXPECT_EQ(end.status, 2);
        EXPECT_EQ(end.output, "");
        return end.errors.substr(0, end.errors.find('\n'));
    };
    EXPECT_EQ(refused({"--only", "alchemy"}),
              "upcall lab: --only: 'alchemy' is no experiment; --list names them");
    for (const char* factor : {"0", "-1", "10.1", "nan", "x", "1x", ""})
        EXPECT_EQ(refused({"--time", factor}), "upcall lab: --time: '" + std::string(factor) +
                                                   "' is not a number from 0.01 to 10");
    EXPECT_EQ(refused({"--time"}), "upcall lab: --time needs a value");
    EXPECT_EQ(refused({"--quick=x"}), "upcall lab: --quick takes no value");
    EXPECT_EQ(refused({"--bogus"}), "upcall lab: '--bogus' is not an option");
    EXPECT_EQ(refused({"word"}), "upcall lab: 'word' is one argument too many");
}

TEST(lab, says_before_it_measures_what_it_cannot_write) {
    const auto report = run_lab({"--report", "/no/such/place/lab.html"});
    EXPECT_EQ(report.status, 1);
    EXPECT_EQ(report.errors,
              "upcall lab: cannot write '/no/such/place/lab.html': No such file or directory\n");
    const auto place = run_lab({"--dir", "/no/such/place"});
    EXPECT_EQ(place.status, 1);
    EXPECT_THAT(place.errors, HasSubstr("'/no/such/place'"));
    EXPECT_EQ(place.output, "");
}

}  // namespace
}  // namespace upcall::testing
#endif
