// What becomes of files with each file engine on this host: whether it is granted, and which way
// reads really go. An engine that cannot do something leaves it to the pool.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <upcall/driver/host.hpp>

namespace upcall_doctor {

struct examined_engine {
    enum class way : std::uint8_t {
        engine,     // it was read by the engine
        pool,       // left to the pool at once
        sent_back,  // taken, and went to the pool after all, as the kernel would have had to wait
        not_tried,
    };

    std::string name;
    /// Why files go to the pool from the start; empty: the engine works.
    std::string refused;
    /// One read of this program's own file past the page cache, and one out of it.
    way direct = way::not_tried;
    way cached = way::not_tried;
    /// Why a read was not tried, or failed.
    std::string problem;
};

/// Tries each that `host` has not refused already, on an epoll driver of its own. Writes nothing.
std::vector<examined_engine> examine_file_engines(const upcall::host& host);

/// In a sentence or two.
std::string words_for(const examined_engine& engine);

}  // namespace upcall_doctor
