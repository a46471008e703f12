// The command as it is typed: options, exit codes, terminals, and hosts that refuse io_uring.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>
#include <upcall/driver/host.hpp>
#include <upcall/driver/select.hpp>

#include "doctor/doctor.hpp"
#include "support/child.hpp"
#include "support/seccomp.hpp"

namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using upcall::test::child_end;
using upcall::test::forbid;
using upcall::test::forbidden_call;
using upcall::test::run_in_child;

int call_doctor(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "doctor");
    std::vector<char*> argv;
    for (std::string& each : arguments) argv.push_back(each.data());
    argv.push_back(nullptr);
    return doctor_main(static_cast<int>(argv.size()) - 1, argv.data());
}

std::string read_all(int fd) {
    std::string text;
    char piece[4096];
    for (ssize_t count; (count = ::read(fd, piece, sizeof piece)) > 0;)
        text.append(piece, static_cast<std::size_t>(count));
    return text;
}

enum class streams { both, output_alone };

// Runs the command in a child, with its streams in memory, and brings back what it wrote there.
child_end doctor(const std::vector<std::string>& arguments,
                 const std::vector<forbidden_call>& rules = {}, streams kept = streams::both) {
    return run_in_child([&](std::string& message) {
        const int out = ::memfd_create("doctor", MFD_CLOEXEC);
        ::dup2(out, STDOUT_FILENO);
        if (kept == streams::both) ::dup2(out, STDERR_FILENO);
        if (!rules.empty() && forbid(rules) != 0) return 100;
        const int code = call_doctor(arguments);
        ::lseek(out, 0, SEEK_SET);
        message = read_all(out);
        return code;
    });
}

// The same with a terminal of 70 columns for its standard output.
child_end doctor_at_a_terminal(const char* variable, const char* value) {
    return run_in_child([=](std::string& message) {
        ::setenv("TERM", "xterm", 1);
        ::unsetenv("NO_COLOR");
        ::setenv(variable, value, 1);
        const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
        if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) return 100;
        const int slave = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
        if (slave < 0) return 100;
        // A terminal holds a page or so: somebody has to read while the command writes.
        std::thread reader([&] { message = read_all(terminal); });
        ::dup2(slave, STDOUT_FILENO);
        ::close(slave);
        const int code = call_doctor({});
        const int null = ::open("/dev/null", O_WRONLY);
        ::dup2(null, STDOUT_FILENO);  // closes the last end: the reader finds the end
        reader.join();
        return code;
    });
}

constexpr long setup_call = 425;
constexpr long enter_call = 426;
constexpr long register_call = 427;

TEST(doctor_command, reports_on_this_host) {
    const child_end end = doctor({});
    EXPECT_EQ(end.exit_code, 0) << end;
    EXPECT_THAT(end.message, StartsWith("Driver: "));
    for (const char* section :
         {"\nHost\n", "\nInterfaces\n", "\nFile engines", "\nio_uring", "\nLimits", "\nFiles\n"})
        EXPECT_THAT(end.message, HasSubstr(section));
}

TEST(doctor_command, reports_in_json_what_the_library_says) {
    const child_end end = doctor({"--json", "/proc", "/no/such/path"}, {}, streams::output_alone);
    EXPECT_EQ(end.exit_code, 1) << end;
    const json all = json::parse(end.message);
    EXPECT_EQ(all["driver"]["name"], upcall::choose_driver(*upcall::this_host()).name);
    EXPECT_EQ(all["paths"][0]["file_system"], "proc");
    EXPECT_TRUE(all["paths"][1]["error"].is_string());
}

TEST(doctor_command, tries_the_file_engines_and_says_who_refused_one) {
    const json here = json::parse(doctor({"--json"}, {}, streams::output_alone).message);
    ASSERT_EQ(here["file_engines"].size(), upcall::file_engine_names().size());
    for (const json& each : here["file_engines"])
        if (each["refused"].is_null()) {
            EXPECT_NE(each["cached_read"], "not_tried") << each;
        }
    const child_end end = doctor({"--json"}, {{SYS_io_setup, EPERM}}, streams::output_alone);
    const json refused = json::parse(end.message)["file_engines"];
    EXPECT_EQ(refused[0]["name"], "linux_aio");
    EXPECT_TRUE(refused[0]["refused"].is_string()) << refused[0];
    EXPECT_EQ(refused[0]["direct_read"], "not_tried");
}

TEST(doctor_command, helps) {
    for (const char* option : {"--help", "-h"}) {
        const child_end end = doctor({option});
        EXPECT_EQ(end.exit_code, 0);
        EXPECT_THAT(end.message, StartsWith("usage: upcall doctor"));
        EXPECT_THAT(end.message, HasSubstr("--json"));
    }
}

TEST(doctor_command, refuses_what_it_does_not_know) {
    const child_end end = doctor({"--jason"});
    EXPECT_EQ(end.exit_code, 2);
    EXPECT_THAT(end.message, HasSubstr("'--jason' is not an option"));
    EXPECT_THAT(end.message, Not(HasSubstr("Driver:")));
    EXPECT_THAT(doctor({"--json=x"}).message, StartsWith("upcall doctor: --json takes no value\n"));
}

TEST(doctor_command, fails_when_nobody_can_read_it) {
    const child_end end = run_in_child([](std::string&) {
        const int full = ::open("/dev/full", O_WRONLY);
        ::dup2(full, STDOUT_FILENO);
        return call_doctor({});
    });
    EXPECT_EQ(end.exit_code, 1) << end;
}

TEST(doctor_command, is_plain_in_a_pipe) {
    EXPECT_THAT(doctor({}).message, Not(HasSubstr("\x1b")));
    EXPECT_THAT(doctor({"--all"}).message, Not(HasSubstr("\x1b")));
}

TEST(doctor_command, is_coloured_at_a_terminal_unless_told_otherwise) {
    const child_end coloured = doctor_at_a_terminal("NO_COLOR", "");
    EXPECT_EQ(coloured.exit_code, 0) << coloured;
    EXPECT_THAT(coloured.message, HasSubstr("\x1b[32myes\x1b[0m"));
    const child_end plain = doctor_at_a_terminal("NO_COLOR", "1");
    EXPECT_THAT(plain.message, HasSubstr("Driver: "));
    EXPECT_THAT(plain.message, Not(HasSubstr("\x1b")));
    const child_end dumb = doctor_at_a_terminal("TERM", "dumb");
    EXPECT_THAT(dumb.message, HasSubstr("Driver: "));
    EXPECT_THAT(dumb.message, Not(HasSubstr("\x1b")));
}

TEST(doctor_command, under_a_filter_says_who_refuses_and_what_to_do) {
    const std::vector<forbidden_call> rules = {
        {setup_call, EPERM}, {enter_call, EPERM}, {register_call, EPERM}};
    const child_end text = doctor({}, rules);
    EXPECT_EQ(text.exit_code, 0) << text;
    EXPECT_THAT(text.message, StartsWith("Driver: epoll\n"));
    EXPECT_THAT(text.message, HasSubstr("seccomp      a filter is in force"));
    EXPECT_THAT(text.message, HasSubstr("-> "));
    const child_end programs = doctor({"--json"}, rules);
    const json all = json::parse(programs.message);
    EXPECT_EQ(all["driver"]["name"], "epoll");
    EXPECT_EQ(all["interfaces"][0]["errno"], EPERM);
    EXPECT_EQ(all["ring"]["usable"], false);
}

TEST(doctor_command, under_a_filter_that_kills_still_reports) {
    const child_end end = doctor({"--json"}, {{setup_call, 0, {}, forbidden_call::verdict::kill}});
    EXPECT_EQ(end.exit_code, 0) << end;
    EXPECT_EQ(json::parse(end.message)["driver"]["name"], "epoll");
}

TEST(doctor_command, fails_for_what_it_cannot_examine) {
    const child_end end = doctor({"/proc", "/no/such/path"});
    EXPECT_EQ(end.exit_code, 1) << end;
    EXPECT_THAT(end.message, StartsWith("Driver: "));
    EXPECT_THAT(end.message, EndsWith("upcall doctor: cannot examine '/no/such/path': "
                                      "No such file or directory\n"));
    EXPECT_EQ(doctor({"/proc"}).exit_code, 0);
}

json driver_under_variable(const char* name) {
    const child_end end = run_in_child([&](std::string& message) {
        ::setenv("UPCALL_DRIVER", name, 1);
        const int out = ::memfd_create("doctor", MFD_CLOEXEC);
        ::dup2(out, STDOUT_FILENO);
        const int code = call_doctor({"--json"});
        ::lseek(out, 0, SEEK_SET);
        message = read_all(out);
        return code;
    });
    EXPECT_EQ(end.exit_code, 0) << end;
    return json::parse(end.message)["driver"];
}

TEST(doctor_command, mentions_the_variable_that_overrules_it) {
    const json good = driver_under_variable("poll");
    EXPECT_EQ(good["overruled_by"], "poll");
    EXPECT_TRUE(good["overrule_problem"].is_null()) << good;
    const json bad = driver_under_variable("bogus");
    EXPECT_EQ(bad["overruled_by"], "bogus");
    EXPECT_THAT(bad["overrule_problem"].get<std::string>(),
                StartsWith("'bogus' is none of auto, "));
    for (const char* none : {"auto", ""})
        EXPECT_TRUE(driver_under_variable(none)["overruled_by"].is_null());
}

}  // namespace
