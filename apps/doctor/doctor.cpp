#include "doctor/doctor.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcall/os/terminal.hpp>
#include <vector>

#include "doctor/examination.hpp"
#include "doctor/write_interfaces.hpp"
#include "doctor/write_json.hpp"
#include "doctor/write_text.hpp"
#include "serve/parse_error.hpp"

namespace upcall_doctor {
namespace {

constexpr const char* help_text =
    R"(usage: upcall doctor [--all] [--json] [PATH...]
       upcall doctor --interfaces

Says which driver upcall would choose on this host and why, which kernel interfaces
for asynchronous I/O there are and what stands in the way of the others, which file
engine steps down and why, what io_uring can do here, and which limits a busy program
will run into. It tries things out and changes nothing. For each PATH (the current
directory if there is none) it says what the file system beneath offers to direct I/O.

      --all        name every flag, opcode and limit
      --json       the whole report for programs
      --interfaces what each driver does, on any host, as a table in Markdown
  -h, --help       this text

Colours appear on a terminal only, and not where NO_COLOR is set.
UPCALL_DRIVER=NAME in the environment of a program overrules the driver chosen here.
Exit status: 0; 1 when a PATH cannot be examined, or the report cannot be written;
2 for an option that does not exist.
)";

struct request {
    bool json = false;
    bool everything = false;
    bool interfaces = false;
    std::vector<std::string> paths;
};

// Empty variables count as not set (no-color.org).
bool is_set(const char* variable) noexcept {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

page_style style_for(const upcall::output_terminal& terminal) noexcept {
    constexpr std::size_t narrowest = 60;
    constexpr std::size_t widest = 100;
    page_style style;
    if (terminal.columns != 0)
        style.width = std::clamp<std::size_t>(terminal.columns, narrowest, widest);
    const char* const kind = std::getenv("TERM");
    style.colours = terminal.is_terminal && !is_set("NO_COLOR") && kind != nullptr &&
                    std::string_view(kind) != "dumb";
    return style;
}

int write_out(const std::string& text) {
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return is_written ? 0 : 1;
}

int complain(const std::string& what) {
    std::fprintf(stderr, "upcall doctor: %s\nSee `upcall doctor --help`.\n", what.c_str());
    return 2;
}

int report(const request& wanted) {
    const examination found =
        examine(wanted.paths.empty() ? std::vector<std::string>{"."} : wanted.paths);
    const int written = write_out(
        wanted.json ? write_json(found)
                    : write_text(found, style_for(upcall::standard_output()), wanted.everything));
    int unexamined = 0;
    for (const examined_path& each : found.paths) {
        if (each.facts) continue;
        unexamined = 1;
        std::fprintf(stderr, "upcall doctor: cannot examine '%s': %s\n", each.path.c_str(),
                     each.facts.error().message().c_str());
    }
    return written != 0 ? written : unexamined;
}

}  // namespace
}  // namespace upcall_doctor

int doctor_main(int argc, char** argv) {
    using namespace upcall_doctor;
    request wanted;
    CLI::App app;
    app.set_help_flag("-h,--help");
    app.allow_extras();
    app.add_flag("--json", wanted.json);
    app.add_flag("--all", wanted.everything);
    app.add_flag("--interfaces", wanted.interfaces);
    app.add_option("PATH", wanted.paths);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return write_out(help_text);
    } catch (const CLI::ParseError& error) {
        return complain(upcall_serve::words_for(error));
    }
    if (const auto problem = upcall_serve::problem_with_rest(app)) return complain(*problem);
    return wanted.interfaces ? write_out(write_interfaces()) : report(wanted);
}
