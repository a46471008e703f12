#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/command_line.hpp"
#include "serve/quantity.hpp"

namespace {

using namespace upcall_serve;
using namespace std::chrono_literals;
using testing::HasSubstr;

std::expected<options, command_exit> parse(std::vector<const char*> arguments) {
    return parse_command_line(arguments);
}

options accepted(std::vector<const char*> arguments) {
    const auto result = parse(std::move(arguments));
    EXPECT_TRUE(result) << result.error().text;
    return result.value_or(options{});
}

// The first line of what a refused command line prints.
std::string refused(std::vector<const char*> arguments) {
    const auto result = parse(std::move(arguments));
    if (result) return "it was accepted";
    EXPECT_EQ(result.error().code, 2);
    EXPECT_THAT(result.error().text, HasSubstr("\nSee `upcall serve --help`.\n"));
    return result.error().text.substr(0, result.error().text.find('\n'));
}

TEST(command_line, a_directory_is_enough) {
    const options chosen = accepted({"site"});
    EXPECT_EQ(chosen.directory, "site");
    EXPECT_EQ(chosen.listen, (std::vector{upcall::address::loopback(8080)}));
    EXPECT_EQ(chosen.index, (std::vector<std::string>{"index.html"}));
    EXPECT_EQ(chosen.driver, "auto");
    EXPECT_EQ(chosen.loops, 0u);
    EXPECT_FALSE(chosen.access_log);
    EXPECT_TRUE(chosen.identity);
    EXPECT_FALSE(chosen.list_directories);
    EXPECT_FALSE(chosen.dotfiles);
    EXPECT_EQ(chosen.parsing.head_bytes, 16'384u);
    EXPECT_EQ(chosen.parsing.line_bytes, 8'192u);
    EXPECT_EQ(chosen.parsing.fields, 100u);
    EXPECT_EQ(chosen.header_timeout, 10s);
    EXPECT_EQ(chosen.idle_timeout, 60s);
    EXPECT_EQ(chosen.send_timeout, 30s);
    EXPECT_EQ(chosen.requests_per_connection_max, 1000u);
    EXPECT_EQ(chosen.grace, 30s);
}

TEST(command_line, every_option_is_heard) {
    const options chosen = accepted({"--listen",
                                     "*:80",
                                     "site",
                                     "--listen=[::1]:81",
                                     "--listen",
                                     "unix:/run/s",
                                     "--loops",
                                     "4",
                                     "--driver",
                                     "epoll",
                                     "--user",
                                     "www-data",
                                     "--index",
                                     "a.html",
                                     "--index",
                                     "b.html",
                                     "--list-directories",
                                     "--dotfiles",
                                     "--no-symlinks",
                                     "--no-precompressed",
                                     "--error-page",
                                     "404.html",
                                     "--error-page",
                                     "500=oops.html",
                                     "--access-log",
                                     "-",
                                     "--access-log-format",
                                     "json",
                                     "--no-identity",
                                     "--cache-bytes",
                                     "1M",
                                     "--cache-file-max",
                                     "4k",
                                     "--max-connections",
                                     "10",
                                     "--max-connections-per-address",
                                     "5",
                                     "--keep-alive-requests",
                                     "7",
                                     "--backlog",
                                     "8",
                                     "--header-timeout",
                                     "1500ms",
                                     "--idle-timeout",
                                     "2m",
                                     "--send-timeout",
                                     "3",
                                     "--min-send-rate",
                                     "1k",
                                     "--max-header-bytes",
                                     "32k",
                                     "--max-line-bytes",
                                     "16k",
                                     "--max-fields",
                                     "50",
                                     "--grace",
                                     "1h"});
    EXPECT_EQ(chosen.directory, "site");
    ASSERT_EQ(chosen.listen.size(), 3u);
    EXPECT_EQ(chosen.listen[0].to_string(), "0.0.0.0:80");
    EXPECT_EQ(chosen.listen[1].to_string(), "[::1]:81");
    EXPECT_EQ(chosen.listen[2].to_string(), "unix:/run/s");
    EXPECT_EQ(chosen.loops, 4u);
    EXPECT_EQ(chosen.driver, "epoll");
    EXPECT_EQ(chosen.user, "www-data");
    EXPECT_EQ(chosen.index, (std::vector<std::string>{"a.html", "b.html"}));
    EXPECT_TRUE(chosen.list_directories);
    EXPECT_TRUE(chosen.dotfiles);
    EXPECT_FALSE(chosen.symlinks);
    EXPECT_FALSE(chosen.precompressed);
    EXPECT_EQ(chosen.error_pages,
              (std::vector<std::pair<int, std::string>>{{404, "404.html"}, {500, "oops.html"}}));
    EXPECT_EQ(chosen.access_log, "-");
    EXPECT_EQ(chosen.log_format, access_log_format::json);
    EXPECT_FALSE(chosen.identity);
    EXPECT_EQ(chosen.cache_bytes, 1u << 20);
    EXPECT_EQ(chosen.cache_file_max, 4096u);
    EXPECT_EQ(chosen.connections_max, 10u);
    EXPECT_EQ(chosen.connections_per_address_max, 5u);
    EXPECT_EQ(chosen.requests_per_connection_max, 7u);
    EXPECT_EQ(chosen.backlog, 8u);
    EXPECT_EQ(chosen.header_timeout, 1500ms);
    EXPECT_EQ(chosen.idle_timeout, 2min);
    EXPECT_EQ(chosen.send_timeout, 3s);
    EXPECT_EQ(chosen.send_rate_min, 1024u);
    EXPECT_EQ(chosen.parsing.head_bytes, 32u << 10);
    EXPECT_EQ(chosen.parsing.line_bytes, 16u << 10);
    EXPECT_EQ(chosen.parsing.fields, 50u);
    EXPECT_EQ(chosen.grace, 1h);
}

TEST(command_line, help_explains_and_ends_with_examples) {
    for (const char* flag : {"--help", "-h"}) {
        const auto result = parse({flag});
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, 0);
        for (const char* text : {"upcall serve [OPTIONS] DIR", "--listen", "--driver", "--user",
                                 "--grace", "--max-header-bytes", "--no-identity", "SIGHUP",
                                 "localhost:8080", ":PORT", "Examples:", "http://127.0.0.1:8080/"})
            EXPECT_THAT(result.error().text, HasSubstr(text));
    }
}

TEST(command_line, errors_name_the_input_and_the_limit) {
    EXPECT_THAT(refused({}), HasSubstr("DIR is required"));
    EXPECT_THAT(refused({""}), HasSubstr("DIR is empty"));
    EXPECT_EQ(refused({"a", "b"}), "upcall serve: 'b' is one argument too many");
    EXPECT_EQ(refused({"a", "--port", "80"}), "upcall serve: '--port' is not an option");
    EXPECT_EQ(refused({"--port"}), "upcall serve: '--port' is not an option");
    EXPECT_EQ(refused({"a", "--loops"}), "upcall serve: --loops needs a value");
    EXPECT_EQ(refused({"a", "--dotfiles=x"}), "upcall serve: --dotfiles takes no value");
    EXPECT_EQ(refused({"a", "--loops", "5000"}),
              "upcall serve: --loops: '5000' is not a number from 0 to 1024");
    EXPECT_EQ(refused({"a", "--loops", "two"}),
              "upcall serve: --loops: 'two' is not a number from 0 to 1024");
    EXPECT_THAT(
        refused({"a", "--driver", "iocp"}),
        testing::StartsWith("upcall serve: --driver: 'iocp' is none of auto, uring, epoll, poll, "
                            "select, sigio, "));
    EXPECT_EQ(refused({"a", "--max-header-bytes", "2M"}),
              "upcall serve: --max-header-bytes: '2M' is not from 256 to 1048576 bytes");
    EXPECT_EQ(refused({"a", "--max-header-bytes", "99999999999999999999"}),
              "upcall serve: --max-header-bytes: '99999999999999999999' is not from 256 to 1048576 "
              "bytes");
    EXPECT_EQ(refused({"a", "--cache-bytes", "9007199254740992k"}),
              "upcall serve: --cache-bytes: '9007199254740992k' is not from 0 to 1099511627776 "
              "bytes");
    EXPECT_EQ(refused({"a", "--grace", "9223372036854775807h"}),
              "upcall serve: --grace: '9223372036854775807h' is more than 24h");
    EXPECT_EQ(refused({"a", "--max-header-bytes", "big"}),
              "upcall serve: --max-header-bytes: 'big' is not like 4096, 64k or 2M");
    EXPECT_EQ(refused({"a", "--grace", "soon"}),
              "upcall serve: --grace: 'soon' is not like 500ms, 10s, 2m or 1h");
    EXPECT_EQ(refused({"a", "--idle-timeout", "0"}),
              "upcall serve: --idle-timeout: '0' leaves no time at all");
    EXPECT_EQ(refused({"a", "--access-log-format", "xml"}),
              "upcall serve: --access-log-format: 'xml' is neither common nor json");
    EXPECT_EQ(refused({"a", "--error-page", "200=x"}),
              "upcall serve: --error-page: '200' is not a number from 400 to 599");
    EXPECT_EQ(refused({"a", "--error-page", "418=x"}),
              "upcall serve: --error-page: this server never answers with 418");
    EXPECT_EQ(refused({"a", "--index", "../x"}),
              "upcall serve: --index: '../x' is not the name of a file");
    EXPECT_THAT(refused({"a", "--listen", "example.com:80"}),
                HasSubstr("--listen: 'example.com:80' is not an address"));
    EXPECT_EQ(refused({"a", "--listen", "127.0.0.1:65536"}),
              "upcall serve: --listen: '127.0.0.1:65536' has a port beyond 65535");
    EXPECT_EQ(refused({"a", "--listen", "99999999999999999999"}),
              "upcall serve: --listen: '99999999999999999999' has a port beyond 65535");
    EXPECT_EQ(refused({"a", "--listen", "8080", "--listen", "127.0.0.1:8080"}),
              "upcall serve: --listen http://127.0.0.1:8080/ is given twice");
    EXPECT_EQ(refused({"a", "--max-line-bytes", "17k"}),
              "upcall serve: --max-line-bytes 17408 is more than --max-header-bytes 16384");
    EXPECT_EQ(refused({"a", "--cache-file-max", "65M"}),
              "upcall serve: --cache-file-max 68157440 is more than --cache-bytes 67108864");
}

TEST(command_line, the_environment_is_checked_where_it_counts) {
    ::setenv("UPCALL_DRIVER", "bogus", 1);
    const auto wrong = problem_with_environment(accepted({"a"}));
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->code, 2);
    EXPECT_THAT(wrong->text,
                testing::StartsWith("upcall serve: UPCALL_DRIVER: 'bogus' is none of auto, "));
    EXPECT_FALSE(problem_with_environment(accepted({"a", "--driver", "poll"})));
    for (const char* right : {"auto", "poll", ""}) {
        ::setenv("UPCALL_DRIVER", right, 1);
        EXPECT_FALSE(problem_with_environment(accepted({"a"}))) << right;
    }
    ::unsetenv("UPCALL_DRIVER");
}

// Went wrong: "'--' is not an option".
TEST(command_line, a_double_dash_ends_the_options) {
    EXPECT_EQ(accepted({"--loops", "2", "--", "-site"}).directory, "-site");
    EXPECT_EQ(accepted({"site", "--"}).directory, "site");
    EXPECT_EQ(refused({"--", "site", "other"}), "upcall serve: 'other' is one argument too many");
}

TEST(command_line, a_lowered_total_brings_its_parts_along) {
    EXPECT_EQ(accepted({"a", "--max-header-bytes", "1k"}).parsing.line_bytes, 1024u);
    EXPECT_EQ(accepted({"a", "--cache-bytes", "1k"}).cache_file_max, 1024u);
    EXPECT_EQ(accepted({"a", "--cache-bytes", "0"}).cache_bytes, 0u);
}

TEST(listen_addresses, in_all_their_forms) {
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"127.0.0.1:8080", "127.0.0.1:8080"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"10.1.2.3", "10.1.2.3:8080"},
        {"8081", "127.0.0.1:8081"},
        {"localhost", "127.0.0.1:8080"},
        {"localhost:81", "127.0.0.1:81"},
        {"*:65535", "0.0.0.0:65535"},
        {"*", "0.0.0.0:8080"},
        {"[::1]:8080", "[::1]:8080"},
        {"[::]", "[::]:8080"},
        {"[2001:db8::1]:443", "[2001:db8::1]:443"},
        {"unix:/run/site.sock", "unix:/run/site.sock"},
        {"unix:site.sock", "unix:site.sock"},
        {"unix:@site", "unix:@site"},
    };
    for (const auto& [text, expected] : cases) {
        const auto got = parse_listen_address(text);
        ASSERT_TRUE(got) << text << got.error();
        EXPECT_EQ(got->to_string(), expected) << text;
    }
}

TEST(listen_addresses, that_are_none) {
    for (const char* text : {"",
                             ":",
                             ":80",
                             "example.com",
                             "example.com:80",
                             "127.0.0.1:",
                             "127.0.0.1:x",
                             "127.0.0.1:65536",
                             "127.0.0.1:-1",
                             "127.0.0.1:80:80",
                             "65536",
                             "1.2.3:80",
                             "256.0.0.1",
                             "::1",
                             "::1:80",
                             "[::1",
                             "[::1]80",
                             "[::1]:",
                             "[]:80",
                             "[127.0.0.1]:80",
                             "[::g]:80",
                             "unix:",
                             "http://127.0.0.1:80",
                             "127.0.0.1 :80",
                             "+80",
                             "99999999999999999999",
                             "localhosts:80"})
        EXPECT_FALSE(parse_listen_address(text)) << text;
    EXPECT_TRUE(parse_listen_address("unix:/" + std::string(106, 'x')));
    EXPECT_THAT(parse_listen_address("unix:/" + std::string(107, 'x')).error(),
                HasSubstr("107 bytes"));
    EXPECT_THAT(parse_listen_address("::1").error(), HasSubstr("[::1]:8080"));
    EXPECT_THAT(parse_listen_address("example.com").error(),
                HasSubstr("names besides localhost are not looked up"));
}

TEST(listen_addresses, read_as_a_browser_wants_them) {
    for (const char* text : {"127.0.0.1:8080", "[::1]:80"})
        EXPECT_EQ(url_of(*parse_listen_address(text)), "http://" + std::string(text) + "/");
    EXPECT_EQ(url_of(*parse_listen_address("unix:/run/s")), "unix:/run/s");
}

TEST(quantities, sizes) {
    const std::vector<std::pair<const char*, std::uint64_t>> good = {
        {"0", 0},       {"1", 1},        {"4096", 4096},
        {"1k", 1024},   {"1K", 1024},    {"1KB", 1024},
        {"1KiB", 1024}, {"2m", 2 << 20}, {"3G", std::uint64_t{3} << 30},
        {"007", 7}};
    for (const auto& [text, bytes] : good) EXPECT_EQ(parse_size(text, 0, INT64_MAX), bytes) << text;
    for (const char* bad : {"", "k", "-1", "+1", "1x", "1kk", "1 k", "1.5k", "0x10", "1kib/s", " 1",
                            "18446744073709551616", "9223372036854775808", "9007199254740992k"})
        EXPECT_FALSE(parse_size(bad, 0, INT64_MAX)) << bad;
}

TEST(quantities, durations) {
    const std::vector<std::pair<const char*, std::chrono::milliseconds>> good = {
        {"0", 0ms},   {"1", 1s},    {"250ms", 250ms}, {"10s", 10s},
        {"2m", 2min}, {"24h", 24h}, {"86400", 24h}};
    for (const auto& [text, duration] : good) EXPECT_EQ(parse_duration(text), duration) << text;
    for (const char* bad : {"", "s", "-1s", "1d", "1 s", "1.5s", "25h", "86401s",
                            "99999999999999999999s", "9223372036854775807h"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(command_line, hardened_means_io_uring_and_nothing_else) {
    EXPECT_FALSE(accepted({"a"}).hardened);
    EXPECT_TRUE(accepted({"a", "--hardened"}).hardened);
    EXPECT_EQ(accepted({"a", "--hardened"}).driver, "uring");
    EXPECT_EQ(accepted({"a", "--hardened", "--driver", "uring"}).driver, "uring");
    EXPECT_EQ(refused({"a", "--hardened", "--driver", "epoll"}),
              "upcall serve: --hardened: only io_uring can be restricted, not 'epoll'");
}

}  // namespace
