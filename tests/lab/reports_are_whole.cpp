// What is written holds everything that was found, and nothing in it can break out of its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "lab/svg.hpp"
#include "lab/words.hpp"
#include "lab/write_html.hpp"
#include "lab/write_json.hpp"
#include "lab/write_text.hpp"

namespace upcall_lab {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string wicked = "<script>alert('1')</script> & \"more\"\x01";

chart some_chart() {
    chart made;
    made.name = "cost";
    made.title = wicked;
    made.sentence = "It costs 5.";
    made.x_label = "batch";
    made.y_label = "ns";
    made.log_x = made.log_y = true;
    made.all = {
        {.name = "ring", .points = {{1, {4, 5, 6, 9}}, {10, {1, 2, 3, 9}}}, .is_model = false},
        {.name = "model", .points = {{1, {5, 5, 5, 1}}, {10, {2, 2, 2, 1}}}, .is_model = true}};
    return made;
}

record some_record() {
    findings found;
    found.name = "batching";
    found.title = wicked;
    found.question = wicked;
    found.charts = {some_chart()};
    found.numbers = {{"tk", 170, "ns", wicked}};
    found.notes = {wicked};
    found.missing = {{wicked, wicked}};
    record all;
    all.mode = "quick";
    all.machine = {{"kernel", wicked}};
    all.disturbances = {wicked};
    all.experiments = {found};
    findings failing;
    failing.name = "storage";
    failing.failure = wicked;
    all.experiments.push_back(failing);
    return all;
}

std::size_t count_of(const std::string& in, const std::string& what) {
    std::size_t count = 0;
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++count;
    return count;
}

TEST(lab_page, lets_no_text_out_of_its_place) {
    const std::string page = write_html(some_record());
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page,
                HasSubstr("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more"));
    EXPECT_EQ(page.find('\x01'), std::string::npos);
}

TEST(lab_page, needs_nothing_else) {
    const std::string page = write_html(some_record());
    for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "<link"})
        EXPECT_THAT(page, Not(HasSubstr(outside)));
    EXPECT_THAT(page, HasSubstr("<meta charset=\"utf-8\">"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(lab_page, closes_what_it_opens) {
    const std::string page = write_html(some_record());
    for (const std::string element : {"section", "svg", "table", "ul", "li", "h2", "h3", "text"})
        EXPECT_EQ(count_of(page, "<" + element + ">") + count_of(page, "<" + element + " "),
                  count_of(page, "</" + element + ">"))
            << element;
}

TEST(lab_page, says_why_something_was_not_measured) {
    EXPECT_THAT(write_html(some_record()), HasSubstr("Not measured: &lt;script"));
}

TEST(lab_chart, draws_points_and_their_spread) {
    const std::string drawn = draw(some_chart());
    EXPECT_EQ(count_of(drawn, "<circle"), 2U);   // models have no points
    EXPECT_EQ(count_of(drawn, "<polygon"), 1U);  // nor a band
    EXPECT_EQ(count_of(drawn, "stroke-dasharray"), 1U);
    EXPECT_THAT(drawn, HasSubstr("ring, 1: 5 (4 to 6, 9 runs)"));
    EXPECT_THAT(drawn, Not(HasSubstr("nan")));
}

TEST(lab_chart, leaves_out_what_has_no_place_on_a_logarithmic_axis) {
    chart made = some_chart();
    made.all[0].points.push_back({20, {0, 0, 0, 9}});
    made.all[0].points.push_back({0, {1, 1, 1, 9}});
    made.all[0].points.push_back({30, {1, std::numeric_limits<double>::infinity(), 1, 9}});
    const std::string drawn = draw(made);
    EXPECT_EQ(count_of(drawn, "<circle"), 2U);
    EXPECT_THAT(drawn, Not(HasSubstr("inf")));
}

TEST(lab_chart, marks_times_and_sizes_with_their_units) {
    chart made = some_chart();
    made.y_label = "latency, ns";
    made.all[0].points = {{1, {1e3, 2e3, 3e3, 9}}, {10, {1e6, 2e6, 3e6, 9}}};
    const std::string times = draw(made);
    EXPECT_THAT(times, HasSubstr(">10 µs</text>"));
    EXPECT_THAT(times, HasSubstr("ring, 10: 2 ms (1 ms to 3 ms, 9 runs)"));
    EXPECT_THAT(times, HasSubstr(">latency</text>"));
}

TEST(lab_chart, slants_names_that_would_run_into_one_another) {
    chart made;
    made.kind = chart_kind::bars;
    made.categories = {"a", "b"};
    made.all = {{.name = "x", .points = {{0, {1, 2, 3, 4}}}, .is_model = false}};
    EXPECT_THAT(draw(made), Not(HasSubstr("rotate(-22)")));
    made.categories.assign(12, "a name of some length");
    EXPECT_EQ(count_of(draw(made), "rotate(-22)"), 12U);
}

TEST(lab_chart, of_nothing_is_nothing) {
    EXPECT_EQ(draw({}), "");
    chart bars;
    bars.kind = chart_kind::bars;
    bars.categories = {"a", "b"};
    bars.all = {{.name = "x", .points = {{0, {1, 2, 3, 4}}, {1, {0, 0, 0, 4}}}, .is_model = false}};
    EXPECT_EQ(count_of(draw(bars), "<rect"), 2U);
}

TEST(lab_chart, marks_axes_inside_their_range) {
    for (const bool is_log : {false, true})
        for (const double high : {1.5, 7.0, 93.0, 12345.0}) {
            const auto ticks = ticks_of(0.9, high, is_log);
            EXPECT_FALSE(ticks.empty()) << high;
            EXPECT_LE(ticks.size(), 16U) << high;
            for (const double tick : ticks) EXPECT_TRUE(tick >= 0.9 && tick <= high) << tick;
        }
    EXPECT_TRUE(ticks_of(1, 1, false).empty());
    EXPECT_TRUE(ticks_of(0, 10, true).empty());
}

TEST(lab_chart, marks_bytes_by_powers_of_two) {
    chart made;
    made.y_label = "memory, bytes";
    made.log_x = made.log_y = true;
    made.all = {{.name = "x",
                 .points = {{1, {2e6, 2e6, 2e6, 1}}, {100, {2000, 2000, 2000, 1}}},
                 .is_model = false}};
    const std::string drawn = draw(made);
    for (const char* const mark : {">4 KiB<", ">64 KiB<", ">1 MiB<"})
        EXPECT_THAT(drawn, HasSubstr(mark));
    EXPECT_THAT(drawn, Not(HasSubstr("97.7")));
}

TEST(lab_json, has_every_number) {
    const json read = json::parse(write_json(some_record()));
    EXPECT_EQ(read["mode"], "quick");
    EXPECT_EQ(read["machine"]["kernel"], wicked);
    const json& first = read["experiments"][0];
    EXPECT_EQ(first["name"], "batching");
    EXPECT_TRUE(first["failure"].is_null());
    EXPECT_EQ(first["numbers"]["tk"]["value"], 170);
    EXPECT_EQ(first["left_out"][0]["why"], wicked);
    const json& ring = first["charts"][0]["series"][0];
    EXPECT_EQ(ring["points"][1],
              json({{"x", 10}, {"median", 2}, {"low", 1}, {"high", 3}, {"samples", 9}}));
    EXPECT_EQ(first["charts"][0]["series"][1]["model"], true);
    EXPECT_EQ(read["experiments"][1]["failure"], wicked);
}

TEST(lab_json, is_valid_whatever_the_text_and_the_numbers) {
    record all = some_record();
    all.experiments[0].notes = {"\xff\xfe"};
    all.experiments[0].numbers[0].value = std::nan("");
    const json read = json::parse(write_json(all));
    EXPECT_TRUE(read["experiments"][0]["numbers"]["tk"]["value"].is_null());
}

TEST(lab_text, wraps_and_tells_everything) {
    const std::string text = write_text(some_record().experiments[0], 60);
    EXPECT_THAT(text, HasSubstr("It costs 5."));
    EXPECT_THAT(text, HasSubstr("170 ns"));
    EXPECT_THAT(text, HasSubstr("left out: "));
}

TEST(lab_words, are_short_and_right) {
    EXPECT_EQ(in_digits(0), "0");
    EXPECT_EQ(in_digits(1.234), "1.23");
    EXPECT_EQ(in_digits(0.001234), "0.00123");
    EXPECT_EQ(in_digits(999.6), "1000");
    EXPECT_EQ(in_digits(12345), "12,300");
    EXPECT_EQ(in_digits(1234567), "1,230,000");
    EXPECT_EQ(in_digits(-0.5), "-0.5");
    EXPECT_EQ(in_digits(std::nan("")), "unknown");
    EXPECT_EQ(in_time(840), "840 ns");
    EXPECT_EQ(in_time(1234), "1.23 µs");
    EXPECT_EQ(in_time(4.5e6), "4.5 ms");
    EXPECT_EQ(in_bytes(512), "512 B");
    EXPECT_EQ(in_bytes(1536), "1.5 KiB");
    EXPECT_EQ(in_percent(0.125), "+12.5 %");
    EXPECT_EQ(in_percent(-0.03), "-3 %");
    EXPECT_EQ(in_percent(-1e-15), "0 %");
    EXPECT_EQ(in_unit(2, "switches"), "2 switches");
    EXPECT_EQ(in_unit(1.06, ""), "1.06");
    EXPECT_EQ(counted(1, "copy", "copies"), "1 copy");
    EXPECT_EQ(counted(8, "copy", "copies"), "8 copies");
}

}  // namespace
}  // namespace upcall_lab
