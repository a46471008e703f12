// What an experiment found: charts with their spread, numbers, sentences, and what was left out.
// A value: the text on the terminal, the JSON file and the report are made from it.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace upcall_lab {

/// Repeated measurements of one thing: their median, and the quartiles around it.
struct spread {
    double low = 0;
    double middle = 0;
    double high = 0;
    std::size_t samples = 0;
};

struct point {
    double x = 0;
    spread y;
};

struct series {
    std::string name;
    std::vector<point> points;
    /// Computed from a formula instead of measured: drawn dashed.
    bool is_model = false;
};

enum class chart_kind { lines, bars };

struct chart {
    /// For programs: "cost_per_operation".
    std::string name;
    std::string title;
    /// One sentence, made from the numbers, that says what the chart shows on this machine.
    std::string sentence;
    chart_kind kind = chart_kind::lines;
    std::string x_label;
    std::string y_label;
    bool log_x = false;
    bool log_y = false;
    /// What bars stand for: a point's x is an index into these.
    std::vector<std::string> categories;
    std::vector<series> all;
};

/// One number with its unit and what it means.
struct number {
    std::string name;
    double value = 0;
    std::string unit;
    std::string meaning;
};

struct left_out {
    std::string what;
    std::string why;
};

struct findings {
    std::string name;
    std::string title;
    /// What is asked, and how it is measured.
    std::string question;
    std::vector<chart> charts;
    std::vector<number> numbers;
    /// Where the model fails, and what else has to be known to read the charts.
    std::vector<std::string> notes;
    std::vector<left_out> missing;
    /// Why there is nothing, when the experiment could not be run.
    std::string failure;
    double seconds = 0;
};

/// An experiment cannot go on; the message names the input and the limit.
class lab_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace upcall_lab
