// One body for every driver over POSIX descriptors that makes its calls itself: TEST_P(…) of a
// suite derived from driver_test, and UPCALL_FOR_EVERY_DRIVER(suite).
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "support/bench_drivers.hpp"

namespace upcall::test {

/// An operation that does something when it completes, inside its completion.
struct probe : bench_operation {
    std::function<void()> then;

    probe() {
        run = [](ready_node& node) noexcept {
            auto& self = static_cast<probe&>(node);
            self.retire();
            ++self.completions;
            if (self.then) self.then();
        };
    }
};

class driver_test : public ::testing::TestWithParam<bench_driver> {
  protected:
    driver& via() noexcept { return bench.via(); }

    // Operations whose kind and arguments were filled in.
    void start(probe& op, handle_record* target) {
        op.target = target;
        op.completions = 0;
        bench.start(op);
    }
    void start(probe& op, const handle& target) { start(op, target.record()); }
    std::int64_t perform(probe& op, const handle& target) {
        start(op, target);
        return bench.finish(op);
    }

    static void fill(probe& op, op_kind kind, byte_view data) {
        op.kind = kind;
        op.data = const_cast<std::byte*>(data.data());
        op.size = data.size();
    }
    static void fill_vectored(probe& op, op_kind kind, std::span<io_slice> pieces) {
        op.kind = kind;
        op.flags = op_vectored;
        op.data = pieces.data();
        op.size = pieces.size();
    }

    std::int64_t read(const handle& from, byte_span into) {
        probe op;
        fill(op, op_kind::read, into);
        return perform(op, from);
    }
    std::int64_t write(const handle& to, std::string_view text) {
        probe op;
        fill(op, op_kind::write, bytes_of(text));
        return perform(op, to);
    }
    std::int64_t accept(const handle& listener) {
        probe op;
        op.kind = op_kind::accept;
        return perform(op, listener);
    }
    /// `where` stays until the connect completes.
    void connect(probe& op, const handle& from, const address& where) {
        op.kind = op_kind::connect;
        op.data = const_cast<address*>(&where);
        start(op, from);
    }

    /// Looks a few times: what could happen without anybody's doing has happened.
    void settle() {
        for (int turn = 0; turn < 3; ++turn) bench.turn();
    }

    driver_bench bench{GetParam().make};
};

#define UPCALL_FOR_EVERY_DRIVER(suite)                                                   \
    INSTANTIATE_TEST_SUITE_P(drivers, suite, ::testing::ValuesIn(posix_bench_drivers()), \
                             [](const auto& driver_info) { return driver_info.param.name; })

}  // namespace upcall::test
