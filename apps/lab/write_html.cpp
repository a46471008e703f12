#include "lab/write_html.hpp"

#include <algorithm>

#include "lab/svg.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #1d2329;
  background: #f6f7f9; margin: 0; }
main { max-width: 860px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 28px; margin: 8px 0 4px; }
h2 { font-size: 22px; margin: 0 0 8px; }
h3 { font-size: 16px; margin: 20px 0 4px; }
section { background: #fff; border: 1px solid #dfe3e8; border-radius: 8px; padding: 20px 24px;
  margin: 20px 0; }
p { margin: 6px 0; max-width: 74ch; }
.question, .small { color: #57606a; }
.small { font-size: 14px; }
.says { border-left: 4px solid #0072b2; padding-left: 12px; font-weight: 500; }
.failed { border-left: 4px solid #d55e00; padding-left: 12px; }
svg { width: 100%; height: auto; display: block; margin: 6px 0; }
svg text { font-size: 12px; fill: #424a53; }
svg .grid { stroke: #e6e9ed; }
svg .axis { stroke: #8b949e; }
ul.legend { list-style: none; padding: 0; margin: 4px 0 8px; display: flex; flex-wrap: wrap;
  gap: 4px 18px; font-size: 14px; }
ul.legend span { display: inline-block; width: 14px; height: 0; border-top: 4px solid;
  margin-right: 6px; vertical-align: middle; }
ul.legend span.model { border-top-style: dashed; border-top-width: 3px; }
table { border-collapse: collapse; font-size: 14px; margin: 8px 0; }
td, th { text-align: left; padding: 3px 16px 3px 0; vertical-align: top;
  border-bottom: 1px solid #eceff2; font-weight: normal; }
td.value { white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; }
nav a { margin-right: 14px; color: #0057a3; white-space: nowrap; display: inline-block; }
@media print { body { background: #fff; } section { border: 0; break-inside: avoid-page; } }
)";

std::string paragraph(std::string_view text, std::string_view kind = {}) {
    const std::string open =
        kind.empty() ? std::string("<p>") : "<p class=\"" + std::string(kind) + "\">";
    return open + escaped(text) + "</p>\n";
}

std::string legend_of(const chart& what) {
    std::string out = "<ul class=\"legend\">";
    for (std::size_t i = 0; i < what.all.size(); ++i) {
        if (what.all[i].points.empty()) continue;
        out += "<li><span" + std::string(what.all[i].is_model ? " class=\"model\"" : "") +
               " style=\"border-color:" + std::string(colour_of(i)) + "\"></span>" +
               escaped(what.all[i].name) + "</li>";
    }
    return out + "</ul>\n";
}

std::string html_of(const chart& what) {
    std::string out = "<h3>" + escaped(what.title) + "</h3>\n";
    if (!what.sentence.empty()) out += paragraph(what.sentence, "says");
    return out + draw(what) + legend_of(what);
}

std::string numbers_of(const findings& each) {
    if (each.numbers.empty()) return {};
    std::string out = "<h3>Numbers</h3>\n<table>\n";
    for (const number& one : each.numbers)
        out += "<tr><td class=\"value\">" + escaped(in_unit(one.value, one.unit)) + "</td><td>" +
               escaped(one.meaning) + "</td></tr>\n";
    return out + "</table>\n";
}

std::string list_of_missing(const findings& each) {
    if (each.missing.empty()) return {};
    std::string out = "<h3>Left out</h3>\n<ul class=\"small\">\n";
    for (const left_out& one : each.missing)
        out += "<li>" + escaped(one.what) + ": " + escaped(one.why) + "</li>\n";
    return out + "</ul>\n";
}

bool has_model(const findings& of) {
    return std::ranges::any_of(of.charts, [](const chart& one) {
        return std::ranges::any_of(one.all, [](const series& line) { return line.is_model; });
    });
}

std::string html_of(const findings& each) {
    std::string out = "<section id=\"" + escaped(each.name) + "\">\n<h2>" + escaped(each.title) +
                      "</h2>\n" + paragraph(each.question, "question");
    if (!each.failure.empty()) out += paragraph("Not measured: " + each.failure, "failed");
    for (const chart& one : each.charts) out += html_of(one);
    out += numbers_of(each);
    if (!each.notes.empty()) {
        out += has_model(each) ? "<h3>Where the model fails, and what else to know</h3>\n<ul>\n"
                               : "<h3>What else to know</h3>\n<ul>\n";
        for (const std::string& one : each.notes) out += "<li>" + escaped(one) + "</li>\n";
        out += "</ul>\n";
    }
    out += list_of_missing(each);
    return out + paragraph("Took " + in_digits(each.seconds) + " s.", "small") + "</section>\n";
}

std::string head_of(const record& all) {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>upcall lab</title>\n<style>" +
        std::string(style) + "</style>\n</head>\n<body>\n<main>\n<h1>upcall lab</h1>\n";
    out +=
        paragraph("What asynchronous I/O costs on this machine, and when it wins. A " + all.mode +
                  " run of " + in_digits(all.seconds) + " s, upcall " + UPCALL_VERSION + ".");
    out += "<nav>";
    for (const findings& each : all.experiments)
        out += "<a href=\"#" + escaped(each.name) + "\">" + escaped(each.title) + "</a>";
    out += "</nav>\n<section>\n<h2>This machine</h2>\n<table>\n";
    for (const auto& [name, value] : all.machine)
        out += "<tr><th>" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
    out += "</table>\n";
    for (const std::string& each : all.disturbances) out += paragraph(each, "failed");
    out += paragraph(
        "Points are medians of repeated runs. Whiskers and bands reach from the lower to the upper "
        "quartile. Dashed lines are computed from a formula. Rest the pointer on a point to read "
        "its value.",
        "small");
    return out + "</section>\n";
}

}  // namespace

std::string write_html(const record& all) {
    std::string out = head_of(all);
    for (const findings& each : all.experiments) out += html_of(each);
    return out + "</main>\n</body>\n</html>\n";
}

}  // namespace upcall_lab
