// One driver over a completion port on a bench.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "driver/iocp/windows_headers.hpp"
#include "support/bench_drivers.hpp"

namespace upcall::test {

class iocp_test : public testing::Test {
  protected:
    static std::unique_ptr<driver> make(const driver_environment& lent) {
        std::error_code error;
        auto made = make_iocp_driver(lent, error);
        EXPECT_FALSE(error) << error.message();
        return made;
    }

    driver& via() { return bench.via(); }
    handle socket() { return *via().open_socket(address_family::ipv4, socket_type::stream); }
    std::int64_t read(handle& from, byte_span to) {
        bench_operation op;
        bench.read(op, from, to);
        return bench.finish(op);
    }
    std::int64_t write(handle& to, std::string_view text) {
        bench_operation op;
        bench.write(op, to, bytes_of(text));
        return bench.finish(op);
    }
    std::int64_t connect(handle& from, const address& where) {
        bench_operation op;
        bench.connect(op, from, where);
        return bench.finish(op);
    }
    /// Exactly `size` bytes.
    std::string read_text(handle& from, std::size_t size) {
        std::string got;
        std::byte buffer[512];
        while (got.size() < size) {
            const auto room = std::min(sizeof buffer, size - got.size());
            const auto count = read(from, byte_span(buffer).first(room));
            EXPECT_GT(count, 0);
            if (count <= 0) break;
            got += text_of(byte_view(buffer).first(static_cast<std::size_t>(count)));
        }
        return got;
    }

    driver_bench bench{make};
};

}  // namespace upcall::test
