// Two connected streams of one loop, and bytes to send.
#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <upcall/io/stream.hpp>
#include <utility>

namespace upcall::testing {

struct stream_ends {
    byte_stream here;
    byte_stream there;

    explicit stream_ends(loop& home) {
        auto made = home.via().open_pair(socket_type::stream);
        if (!made) {
            ADD_FAILURE() << "no pair of streams: " << made.error().message();
            return;
        }
        here = byte_stream(home, std::move(made->first));
        there = byte_stream(home, std::move(made->second));
    }
};

}  // namespace upcall::testing
