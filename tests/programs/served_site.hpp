// `upcall serve` on a scratch site of one's own, on a port of the system's choice.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <upcall/driver/select.hpp>
#include <utility>
#include <vector>

#include "programs/http_client.hpp"
#include "support/program.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {

/// A directory that goes when the test ends.
class scratch_site {
  public:
    scratch_site() {
        std::filesystem::permissions(path(), std::filesystem::perms(0755));
        put("index.html", "<h1>it works</h1>\n");
    }

    const std::filesystem::path& path() const { return folder_.path(); }
    void put(const std::string& name, std::string_view content) const {
        std::ofstream(path() / name, std::ios::binary) << content;
    }

    /// A file in which every position shows whether it is where it should be.
    static std::string pattern(std::size_t size) {
        std::string text(size, '\0');
        std::uint32_t state = 1;
        for (char& each : text) {
            state = state * 1'664'525 + 1'013'904'223;
            each = static_cast<char>('a' + (state >> 24) % 26);
        }
        return text;
    }

  private:
    scratch_folder folder_;
};

/// Serves it. Words are further options; without --listen among them, it listens on 127.0.0.1.
class served_site {
  public:
    explicit served_site(const scratch_site& site, std::vector<std::string> words = {},
                         const program_options& options = {})
        : program_("upcall", arguments(site, std::move(words), places_), options) {
        for (std::size_t at = 0; at < places_; ++at) urls_.push_back(program_.line_after(" at "));
        greeting_ = program_.line();
    }

    program& process() { return program_; }
    const std::string& url(std::size_t index = 0) const { return urls_.at(index); }
    /// "on uring, 1 loop. …": the driver, and which were refused.
    const std::string& greeting() const { return greeting_; }

    http_client connect(std::size_t index = 0) const { return http_client(url(index)); }

    /// Asks for one file on a connection of its own.
    http_response get(const std::string& target, const std::string& fields = "") const {
        http_client client = connect();
        if (!client.connected() || !client.get(target, fields)) return {};
        return client.response();
    }

    /// Asks it to stop, and how it ended.
    int stop() {
        program_.ask(SIGTERM);
        return program_.wait();
    }

  private:
    static std::vector<std::string> arguments(const scratch_site& site,
                                              std::vector<std::string> words, std::size_t& places) {
        places = static_cast<std::size_t>(std::count(words.begin(), words.end(), "--listen"));
        if (places == 0) {
            words.insert(words.end(), {"--listen", "127.0.0.1:0"});
            places = 1;
        }
        words.insert(words.begin(), {"serve", site.path().string()});
        return words;
    }

    std::size_t places_ = 0;
    program program_;
    std::vector<std::string> urls_;
    std::string greeting_;
};

/// The drivers of this platform, by name. `sigio` and `kqueue` are left to the conformance
/// suite: all but their pollers is what `poll` runs through.
inline std::vector<std::string> served_drivers() {
    std::vector<std::string> names = driver_names();
    std::erase(names, "sigio");
    std::erase(names, "kqueue");
    return names;
}

/// One instance of the test for each of them.
#define UPCALL_FOR_EVERY_SERVED_DRIVER(suite)                                          \
    INSTANTIATE_TEST_SUITE_P(drivers, suite,                                           \
                             ::testing::ValuesIn(::upcall::testing::served_drivers()), \
                             [](const auto& instance) { return std::string(instance.param); })

}  // namespace upcall::testing
