// A kernel and one driver on a bench, for tests of the simulator itself.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <upcall/driver/sim_kernel.hpp>

#include "support/driver_bench.hpp"

namespace upcall::test {

struct sim_world {
    explicit sim_world(const sim_options& options = {})
        : kernel(options),
          bench([this](const driver_environment& lent) { return make_sim_driver(kernel, lent); }) {}

    driver& via() noexcept { return bench.via(); }

    handle socket(address_family family = address_family::ipv4) {
        return *via().open_socket(family, socket_type::stream);
    }

    std::int64_t read(handle& from, byte_span to) {
        bench_operation op;
        bench.read(op, from, to);
        return bench.finish(op);
    }
    std::int64_t write(handle& to, std::string_view text, std::uint8_t flags = op_none) {
        bench_operation op;
        bench.write(op, to, bytes_of(text), flags);
        return bench.finish(op);
    }
    std::int64_t connect(handle& from, const address& where) {
        bench_operation op;
        bench.connect(op, from, where);
        return bench.finish(op);
    }

    /// Everything up to the end of the stream, or up to `most` bytes; then the raw end.
    std::string read_all(handle& from, std::int64_t* end = nullptr) {
        std::string got;
        std::byte buffer[512];
        for (;;) {
            const auto count = read(from, buffer);
            if (end) *end = count;
            if (count <= 0) return got;
            got += text_of(byte_view(buffer).first(static_cast<std::size_t>(count)));
        }
    }
    void write_all(handle& to, std::string_view text) {
        while (!text.empty()) {
            const auto count = write(to, text);
            ASSERT_GT(count, 0);
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    sim_kernel kernel;
    driver_bench bench;
};

inline constexpr std::uint64_t seeds_tried = 40;

inline sim_options seeded(std::uint64_t seed) {
    sim_options options;
    options.seed = seed;
    return options;
}

}  // namespace upcall::test
