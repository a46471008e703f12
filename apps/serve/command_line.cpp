#include "serve/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <upcall/driver/select.hpp>

#include "serve/parse_error.hpp"
#include "serve/quantity.hpp"
#include "serve/status.hpp"

namespace upcall_serve {

namespace {

constexpr std::string_view introduction =
    R"(Serve the files below a directory over HTTP/1.1, and nothing outside of it.

Usage: upcall serve [OPTIONS] DIR

Defaults stand in parentheses. Sizes take k, M and G (64k); times take ms, s, m
and h (500ms), and are seconds without.
)";

constexpr std::string_view examples = R"(
Examples:
  upcall serve site
      http://127.0.0.1:8080/, for this machine only
  upcall serve . --list-directories --listen '*:8080'
      share the current directory with everyone who can reach this machine
  upcall serve site --listen 8080 --listen '[::1]:8080' --listen unix:site.sock
      several addresses at once
  upcall serve site --driver epoll --access-log -
      without io_uring, with a log on the terminal; `upcall doctor` tells what
      drivers there are
  upcall serve /srv/www --listen '*:80' --user www-data
      as root, which is given up before anything is served

Stop it with Ctrl-C: responses in flight are finished first. SIGHUP does not end
it: it reopens the access log, and without one does nothing.
)";

// Adapters from text to a member: each returns words when it does not like the text.
using problem = std::optional<std::string>;

template <class Target, class Value>
problem assign(Target& target, const std::expected<Value, std::string>& value) {
    if (!value) return value.error();
    target = static_cast<Target>(*value);
    return std::nullopt;
}

template <class Target>
auto count_into(Target& target, std::uint64_t least, std::uint64_t most) {
    return [&target, least, most](const std::string& text) {
        return assign(target, parse_count(text, least, most));
    };
}

template <class Target>
auto size_into(Target& target, std::uint64_t least, std::uint64_t most) {
    return [&target, least, most](const std::string& text) {
        return assign(target, parse_size(text, least, most));
    };
}

auto duration_into(std::chrono::milliseconds& target) {
    return [&target](const std::string& text) -> problem {
        const auto duration = parse_duration(text);
        if (duration && duration->count() == 0) return "'" + text + "' leaves no time at all";
        return assign(target, duration);
    };
}

problem add_error_page(options& into, const std::string& text) {
    const std::size_t equals = text.find('=');
    int status = 404;
    std::string file = text;
    if (equals != std::string::npos) {
        const auto number = parse_count(text.substr(0, equals), 400, 599);
        if (!number) return number.error();
        status = static_cast<int>(*number);
        file = text.substr(equals + 1);
    }
    if (reason_phrase(status) == "Unknown")
        return "this server never answers with " + std::to_string(status);
    if (file.empty()) return "'" + text + "' names no file";
    into.error_pages.emplace_back(status, file);
    return std::nullopt;
}

problem add_index(std::vector<std::string>& into, const std::string& name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
        return "'" + name + "' is not the name of a file";
    into.push_back(name);
    return std::nullopt;
}

problem set_format(access_log_format& into, const std::string& text) {
    if (text == "common")
        into = access_log_format::common;
    else if (text == "json")
        into = access_log_format::json;
    else
        return "'" + text + "' is neither common nor json";
    return std::nullopt;
}

// "auto, uring, epoll": what there is on this platform.
std::string driver_list() {
    std::string list = "auto";
    for (const std::string& name : upcall::driver_names()) list += ", " + name;
    return list;
}

problem set_driver(std::string& into, const std::string& text) {
    if (!upcall::is_driver_name(text)) return "'" + text + "' is none of " + driver_list();
    into = text;
    return std::nullopt;
}

constexpr std::size_t help_column = 34;
constexpr std::size_t help_width = 80;

// One option's line of help, wrapped at words below its column.
void append_help(std::string& help, std::string left, std::string_view text) {
    left.insert(0, "  ");
    left.resize(std::max(left.size() + 1, help_column), ' ');
    while (left.size() + text.size() > help_width) {
        const std::size_t space = text.rfind(' ', help_width - left.size());
        help.append(left).append(text.substr(0, space)).append("\n");
        text.remove_prefix(space + 1);
        left.assign(help_column, ' ');
    }
    help.append(left).append(text).append("\n");
}

// Collects the options of one group, and the help that tells of them.
class group {
  public:
    group(CLI::App& app, std::string& help, std::string_view title) : app_(app), help_(help) {
        help_.append("\n").append(title).append(":\n");
    }

    template <class Read>
    void option(const std::string& flag, const char* value, Read read, std::string_view help) {
        app_.add_option_function<std::vector<std::string>>(
                flag,
                [flag, read](const std::vector<std::string>& texts) {
                    for (const std::string& text : texts)
                        if (const problem wrong = read(text))
                            throw CLI::ValidationError(flag, *wrong);
                })
            ->type_size(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        append_help(help_, flag + " " + value, help);
    }
    void flag(const std::string& flag, bool& target, bool value, std::string_view help) {
        app_.add_flag_callback(flag, [&target, value] { target = value; });
        append_help(help_, flag, help);
    }

  private:
    CLI::App& app_;
    std::string& help_;
};

void add_content(CLI::App& app, std::string& help, options& into, std::vector<std::string>& index) {
    group content(app, help, "What to serve");
    content.option(
        "--index", "NAME", [&](const std::string& text) { return add_index(index, text); },
        "File shown for a directory; repeat it for several, first found first "
        "(index.html)");
    content.flag("--list-directories", into.list_directories, true,
                 "Show a directory without index as a list of its files");
    content.option(
        "--error-page", "[STATUS=]FILE",
        [&](const std::string& text) { return add_error_page(into, text); },
        "Page shown with an error; without STATUS for 404 (404.html in DIR, if there)");
    content.flag("--dotfiles", into.dotfiles, true, "Serve files whose name begins with a dot");
    content.flag("--no-symlinks", into.symlinks, false,
                 "Follow no symbolic links (those that lead out of DIR are never followed)");
    content.flag("--no-precompressed", into.precompressed, false,
                 "Do not look for FILE.br, FILE.zst and FILE.gz");
}

void add_place(CLI::App& app, std::string& help, options& into,
               std::vector<upcall::address>& listen) {
    group place(app, help, "Where and how");
    place.option(
        "--listen", "ADDRESS",
        [&](const std::string& text) -> problem {
            const auto address = parse_listen_address(text);
            if (!address) return address.error();
            listen.push_back(*address);
            return std::nullopt;
        },
        "127.0.0.1:8080, [::1]:8080, unix:/path, *:8080 for every IPv4 address of this "
        "machine; localhost:8080 or 8080 for 127.0.0.1; without :PORT it is 8080; may be "
        "repeated (127.0.0.1:8080)");
    place.option("--loops", "N", count_into(into.loops, 0, 1024),
                 "Event loops, each on its own thread (0: one per processor)");
    place.option(
        "--driver", "NAME", [&](const std::string& text) { return set_driver(into.driver, text); },
        driver_list() + " (auto: the best that works here)");
    place.flag("--hardened", into.hardened, true,
               "Serve on io_uring, whose rings refuse what this server does not need");
    place.option(
        "--user", "NAME",
        [&](const std::string& text) -> problem {
            if (text.empty()) return "a user has a name";
            into.user = text;
            return std::nullopt;
        },
        "Become this user once listening (needs root); a socket file stays behind where "
        "that user may not remove it");
    place.option(
        "--access-log", "FILE",
        [&](const std::string& text) -> problem {
            if (text.empty()) return "a log needs a file, or - for standard output";
            into.access_log = text;
            return std::nullopt;
        },
        "Write a line for each response; - is standard output; SIGHUP reopens the file, so "
        "that it can be moved away (off)");
    place.option(
        "--access-log-format", "FORMAT",
        [&](const std::string& text) { return set_format(into.log_format, text); },
        "common or json (common)");
    place.flag("--no-identity", into.identity, false,
               "Leave the header Server, which names the driver, too, out of responses");
    place.option("--cache-bytes", "SIZE", size_into(into.cache_bytes, 0, std::uint64_t{1} << 40),
                 "Memory for hot files, per loop; 0 turns the cache off (64M)");
    place.option("--cache-file-max", "SIZE",
                 size_into(into.cache_file_max, 0, std::uint64_t{1} << 30),
                 "Larger files are not cached (1M)");
}

void add_limits(CLI::App& app, std::string& help, options& into) {
    group limits(app, help, "Limits");
    limits.option("--max-connections", "N", count_into(into.connections_max, 0, 10'000'000),
                  "In all (0: what the descriptor limit allows)");
    limits.option("--max-connections-per-address", "N",
                  count_into(into.connections_per_address_max, 0, 10'000'000),
                  "From one IPv4 address or IPv6 /64; 0 is no limit (1024)");
    limits.option("--keep-alive-requests", "N",
                  count_into(into.requests_per_connection_max, 1, 1'000'000'000),
                  "Requests before a connection is closed (1000)");
    limits.option("--backlog", "N", count_into(into.backlog, 1, 65'535),
                  "Connections the kernel holds until accepted (1024)");
    limits.option("--header-timeout", "TIME", duration_into(into.header_timeout),
                  "For a request to arrive, from its first byte to its last (10s)");
    limits.option("--idle-timeout", "TIME", duration_into(into.idle_timeout),
                  "Between requests on one connection (60s)");
    limits.option("--send-timeout", "TIME", duration_into(into.send_timeout),
                  "For a peer that takes nothing of a response (30s)");
    limits.option("--min-send-rate", "SIZE", size_into(into.send_rate_min, 0, 1 << 30),
                  "Bytes a second a peer must take; 0 is no limit (500)");
    limits.option("--max-header-bytes", "SIZE", size_into(into.parsing.head_bytes, 256, 1 << 20),
                  "Request line and header fields together (16k)");
    limits.option("--max-line-bytes", "SIZE", size_into(into.parsing.line_bytes, 64, 1 << 20),
                  "Any one line of them (8k)");
    limits.option("--max-fields", "N", count_into(into.parsing.fields, 1, 10'000),
                  "Header fields of a request (100)");
    limits.option("--grace", "TIME", duration_into(into.grace),
                  "For responses in flight when told to stop (30s)");
}

// What can be wrong only between two options.
problem check_together(const options& chosen) {
    if (chosen.parsing.line_bytes > chosen.parsing.head_bytes)
        return "--max-line-bytes " + std::to_string(chosen.parsing.line_bytes) +
               " is more than --max-header-bytes " + std::to_string(chosen.parsing.head_bytes);
    if (chosen.cache_bytes != 0 && chosen.cache_file_max > chosen.cache_bytes)
        return "--cache-file-max " + std::to_string(chosen.cache_file_max) +
               " is more than --cache-bytes " + std::to_string(chosen.cache_bytes);
    for (auto at = chosen.listen.begin(); at != chosen.listen.end(); ++at)
        if (at->port() != 0 && std::find(chosen.listen.begin(), at, *at) != at)
            return "--listen " + url_of(*at) + " is given twice";
    return std::nullopt;
}

command_exit refusal(const std::string& why) {
    return {2, "upcall serve: " + why + "\nSee `upcall serve --help`.\n"};
}

}  // namespace

std::expected<options, command_exit> parse_command_line(std::span<const char* const> arguments) {
    options chosen;
    std::vector<std::string> index;
    std::vector<upcall::address> listen;

    CLI::App app;
    app.set_help_flag("-h,--help");
    app.allow_windows_style_options(false);  // a path may begin with a slash there, too
    app.allow_extras();
    app.add_option("DIR", chosen.directory)->required();
    std::string help(introduction);
    add_content(app, help, chosen, index);
    add_place(app, help, chosen, listen);
    add_limits(app, help, chosen);

    auto refuse = [](const std::string& why) { return std::unexpected(refusal(why)); };
    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
        app.parse(reversed);
    } catch (const CLI::CallForHelp&) {
        return std::unexpected(command_exit{0, help.append(examples)});
    } catch (const CLI::RequiredError& error) {
        // Who mistypes an option wants to hear of that first.
        const auto problem = problem_with_rest(app);
        return refuse(problem ? *problem : words_for(error));
    } catch (const CLI::ParseError& error) {
        return refuse(words_for(error));
    }
    if (const auto problem = problem_with_rest(app)) return refuse(*problem);
    if (chosen.directory.empty()) return refuse("DIR is empty");
    if (!index.empty()) chosen.index = index;
    if (!listen.empty()) chosen.listen = listen;
    // A lowered total brings the limit on one of its parts along.
    if (app.count("--max-line-bytes") == 0)
        chosen.parsing.line_bytes = std::min(chosen.parsing.line_bytes, chosen.parsing.head_bytes);
    if (app.count("--cache-file-max") == 0)
        chosen.cache_file_max = std::min(chosen.cache_file_max, chosen.cache_bytes);
    if (chosen.hardened && chosen.driver == "auto") chosen.driver = "uring";
    if (chosen.hardened && chosen.driver != "uring")
        return refuse("--hardened: only io_uring can be restricted, not '" + chosen.driver + "'");
    if (const problem wrong = check_together(chosen)) return refuse(*wrong);
    return chosen;
}

std::optional<command_exit> problem_with_environment(const options& chosen) {
    if (chosen.driver != "auto") return std::nullopt;
    const char* const named = std::getenv("UPCALL_DRIVER");
    if (!named || *named == '\0') return std::nullopt;
    std::string ignored;
    const problem wrong = set_driver(ignored, named);
    if (!wrong) return std::nullopt;
    return refusal("UPCALL_DRIVER: " + *wrong);
}

}  // namespace upcall_serve
