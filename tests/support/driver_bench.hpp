// A driver on a bench: what a loop lends it, a pump, and operations that say how they ended. For
// tests of drivers below the loop.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <upcall/base/buffer_pool.hpp>
#include <upcall/driver/driver.hpp>
#include <upcall/driver/file_call.hpp>
#include <upcall/op/context.hpp>
#include <upcall/op/ready_queue.hpp>

namespace upcall::test {

/// An operation that counts its completions. Filled in by hand or by the functions of driver_bench.
struct bench_operation : io_source {
    struct value {
        std::int64_t number;
        std::byte* leased;
    };

    bench_operation() {
        run = [](ready_node& node) noexcept {
            auto& self = static_cast<bench_operation&>(node);
            self.retire();
            ++self.completions;
        };
        deliver = [](io_source& source, std::int64_t number, std::byte* block) noexcept {
            auto& self = static_cast<bench_operation&>(source);
            EXPECT_EQ(self.completions, 0) << "a value after the end";
            self.values.push_back({number, block});
        };
    }

    bool done() const noexcept { return completions > 0; }
    std::error_code error() const noexcept { return error_of(*this); }

    int completions = 0;
    bool at_once = false;
    std::vector<value> values;
};

using driver_maker_for_bench =
    std::function<std::unique_ptr<driver>(const driver_environment& lent)>;

class driver_bench {
  public:
    explicit driver_bench(const driver_maker_for_bench& make,
                          const buffer_pool_options& options = {4096, 64, 65536, 8})
        : buffers_(options), root_(reinterpret_cast<loop&>(no_loop_), ready_) {
        driver_ = make({.ready = &ready_, .buffers = &buffers_});
        buffers_.callback_argument = this;
        buffers_.on_refill = [](void* self) noexcept {
            static_cast<driver_bench*>(self)->driver_->buffers_refilled();
        };
        buffers_.on_foreign = [](void* self) noexcept {
            static_cast<driver_bench*>(self)->driver_->wake();
        };
    }
    driver_bench(const driver_bench&) = delete;
    driver_bench& operator=(const driver_bench&) = delete;

    driver& via() noexcept { return *driver_; }
    buffer_pool& buffers() noexcept { return buffers_; }
    context& root() noexcept { return root_; }
    ready_queue& ready() noexcept { return ready_; }

    /// Starts what was filled in.
    void start(bench_operation& op) {
        op.begin(root_);
        op.at_once = driver_->start(op);
        if (op.at_once) op.complete();
    }

    /// One poll, and what became ready through it. Returns whether something did.
    bool turn(time_point deadline = time_point::min()) {
        bool ran = run_ready();
        driver_->poll(ran ? time_point::min() : deadline);
        buffers_.collect_foreign();
        ran = run_ready() || ran;
        return ran;
    }

    /// Turns until `op` is done, and returns its outcome. The test's own time limit ends a hang.
    std::int64_t finish(bench_operation& op) {
        while (!op.done()) turn(never);
        EXPECT_EQ(op.completions, 1);
        return op.result;
    }

    /// Turns until `holds()`.
    void until(const std::function<bool()>& holds) {
        while (!holds()) turn(never);
    }

    /// Lets pass what `length` brings.
    void pass(duration length) {
        const time_point end = saturating_add(driver_->now(), length);
        while (driver_->now() < end) turn(end);
    }

    /// Closes and waits until it is done. Returns the raw outcome.
    std::int64_t close(handle& what) {
        struct {
            bool done = false;
            std::int64_t outcome = 0;
        } told;
        handle_record* record = what.detach();
        record->on_closed_argument = &told;
        record->on_closed = [](void* argument, std::int64_t outcome) noexcept {
            auto* answer = static_cast<decltype(&told)>(argument);
            answer->done = true;
            answer->outcome = outcome;
        };
        driver_->close(*record);
        while (!told.done) turn(never);
        return told.outcome;
    }

    // ---- operations, started ----------------------------------------------------------------

    void connect(bench_operation& op, handle& socket, const address& where) {
        start(op, op_kind::connect, &socket, const_cast<address*>(&where), 0);
    }
    void accept(bench_operation& op, handle& listener, std::uint8_t flags = op_none) {
        start(op, op_kind::accept, &listener, nullptr, 0, flags);
    }
    void read(bench_operation& op, handle& stream, byte_span to) {
        start(op, op_kind::read, &stream, to.data(), to.size());
    }
    void write(bench_operation& op, handle& stream, byte_view from, std::uint8_t flags = op_none) {
        start(op, op_kind::write, &stream, const_cast<std::byte*>(from.data()), from.size(), flags);
    }
    void receive(bench_operation& op, handle& stream, std::uint8_t flags = op_none) {
        start(op, op_kind::receive, &stream, nullptr, 0, flags);
    }
    void start_vectored(bench_operation& op, op_kind kind, handle& on, std::span<io_slice> slices) {
        start(op, kind, &on, slices.data(), slices.size(), op_vectored);
    }
    void file_read(bench_operation& op, handle& file, std::uint64_t at, byte_span to) {
        op.offset = at;
        start(op, op_kind::file_read, &file, to.data(), to.size());
    }
    void file_write(bench_operation& op, handle& file, std::uint64_t at, byte_view from) {
        op.offset = at;
        start(op, op_kind::file_write, &file, const_cast<std::byte*>(from.data()), from.size());
    }
    void call(bench_operation& op, handle* file, file_call_arguments& asked) {
        start(op, op_kind::file_call, file, &asked, 0);
    }

    /// A file call from beginning to end.
    std::int64_t call(file_call_arguments asked, handle* file = nullptr) {
        bench_operation op;
        call(op, file, asked);
        return finish(op);
    }

    /// An opened file; a failed open fails the test.
    handle open(const std::string& path, std::uint32_t options, std::uint32_t mode = 0644) {
        file_call_arguments asked;
        asked.what = file_call::open;
        asked.path = path.c_str();
        asked.options = options;
        asked.mode = mode;
        const std::int64_t native = call(asked);
        EXPECT_GE(native, 0) << path << ": " << error_from_raw(native).message();
        if (native < 0) return {};
        return driver_->adopt(native, handle_kind::file).value();
    }

    /// A path for a file of this test: below the host's folder for temporary files, or of the
    /// simulated disk.
    std::string scratch(const std::string& name) {
        if (driver_->name() == "sim") return "/" + name;
        // Tests run side by side, each in a process of its own: the name has to be that one's.
        const std::size_t mine = std::hash<std::string>{}(
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
        return (std::filesystem::path(::testing::TempDir()) /
                ("upcall-" + name + "-" + std::to_string(mine)))
            .string();
    }

    /// The bytes of a lease, which goes back to the pool.
    std::string take(std::int64_t size, std::byte* block) {
        const lease held(buffers_, block, static_cast<std::size_t>(size));
        return std::string(held.text());
    }

    /// Two connected streams over a listener of `local`'s family: first the client's.
    std::pair<handle, handle> connected(const address& local = address::loopback(0)) {
        handle listener = listening(local);
        const address where = driver_->local_address(*listener.record()).value();
        handle client = driver_->open_socket(local.family(), socket_type::stream).value();
        bench_operation connecting;
        bench_operation accepting;
        accept(accepting, listener);
        connect(connecting, client, where);
        EXPECT_EQ(finish(connecting), 0);
        EXPECT_GE(finish(accepting), 0);
        return {std::move(client),
                driver_->adopt_accepted(static_cast<native_handle>(accepting.result)).value()};
    }

    handle listening(const address& local = address::loopback(0), int backlog = 128) {
        handle made = driver_->open_socket(local.family(), socket_type::stream).value();
        EXPECT_TRUE(driver_->bind(*made.record(), local));
        EXPECT_TRUE(driver_->listen(*made.record(), backlog));
        return made;
    }

  private:
    void start(bench_operation& op, op_kind kind, handle* target, void* data, std::size_t size,
               std::uint8_t flags = op_none) {
        op.kind = kind;
        op.target = target ? target->record() : nullptr;
        op.data = data;
        op.size = size;
        op.flags = flags;
        op.completions = 0;
        start(op);
    }

    bool run_ready() {
        bool ran = false;
        while (ready_node* node = ready_.pop()) {
            node->run(*node);
            ran = true;
        }
        return ran;
    }

    // Contexts name a loop, which nothing below the loop looks at.
    alignas(std::max_align_t) std::byte no_loop_[16]{};
    ready_queue ready_;
    buffer_pool buffers_;
    std::unique_ptr<driver> driver_;
    context root_;
};

}  // namespace upcall::test
