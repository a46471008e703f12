// Everything that `upcall serve` can be told, with what it does when told nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serve/access_log.hpp"
#include "serve/limits.hpp"
#include "serve/listen_address.hpp"

namespace upcall_serve {

struct options {
    // What to serve.
    std::string directory;
    std::vector<std::string> index = {"index.html"};
    bool list_directories = false;
    bool dotfiles = false;
    bool symlinks = true;       // they never lead out of the directory, either way
    bool precompressed = true;  // .br, .zst and .gz siblings
    // Files shown with an error status, in place of the built-in page. For 404 the directory's
    // own 404.html is used where none is named.
    std::vector<std::pair<int, std::string>> error_pages;

    // Where and how.
    std::vector<upcall::address> listen = {upcall::address::loopback(default_port)};
    unsigned loops = 0;                     // 0: one per processor
    std::string driver = "auto";            // the best that the host has
    std::string user;                       // to become after listening; empty: stay
    std::optional<std::string> access_log;  // a file, or "-" for standard output
    access_log_format log_format = access_log_format::common;
    bool hardened = false;  // io_uring refuses what is not needed
    bool identity = true;   // responses tell the version and the driver

    // The cache of hot files, per loop.
    std::uint64_t cache_bytes = 64 << 20;
    std::uint64_t cache_file_max = 1 << 20;

    // Limits.
    std::size_t connections_max = 0;  // 0: as many as descriptors allow, less a reserve
    std::uint32_t connections_per_address_max = 1024;  // 0: no limit
    std::uint32_t requests_per_connection_max = 1000;
    unsigned backlog = 1024;
    parse_limits parsing;
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds idle_timeout{60'000};
    std::chrono::milliseconds send_timeout{30'000};
    std::uint64_t send_rate_min = 500;  // bytes per second; 0: none
    std::chrono::milliseconds grace{30'000};
};

}  // namespace upcall_serve
