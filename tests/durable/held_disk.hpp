// A disk that answers when the test says so: a driver whose file operations are kept until then.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <upcall/upcall.hpp>

namespace upcall::testing {

/// One that the loop has handed over and that has not been answered.
struct held_operation {
    io_operation* op;
    bool through;  // on a handle whose writes are durable when they end

    bool is_sync() const { return op->kind == op_kind::file_call; }
    bool is_write() const { return op->kind == op_kind::file_write; }
    std::uint64_t offset() const { return op->offset; }
    /// What it is to write.
    std::string text() const {
        if (!(op->flags & op_vectored)) return {static_cast<const char*>(op->data), op->size};
        std::string all;
        const auto* pieces = static_cast<const io_slice*>(op->data);
        for (std::size_t at = 0; at < op->size; ++at)
            all.append(static_cast<const char*>(pieces[at].data), pieces[at].size);
        return all;
    }
};

class held_disk final : public driver {
  public:
    explicit held_disk(const driver_environment& lent) : driver(lent) {}
    ~held_disk() override { await_helpers(); }

    std::string_view name() const noexcept override { return "held"; }

    /// A handle to write with.
    file open(bool through = false) {
        auto* made = new record;
        made->via = this;
        made->kind = handle_kind::file;
        made->through = through;
        return file(hand_out(*made));
    }

    std::vector<held_operation> held;

    /// Answers one: with all its bytes or 0, or with `result`.
    void answer(std::size_t index) {
        const held_operation one = held.at(index);
        answer(index, one.is_write() ? static_cast<std::int64_t>(one.text().size()) : 0);
    }
    void answer(std::size_t index, std::int64_t result) {
        io_operation& op = *held.at(index).op;
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
        finish(op, result);
    }

    void cancel(io_operation&) noexcept override { ++cancels; }
    int cancels = 0;

    void poll(time_point) noexcept override { collect_elsewhere(); }
    void wake() noexcept override {}
    time_point now() noexcept override {
        return time_point(std::chrono::steady_clock::now().time_since_epoch());
    }
    std::uint64_t random() noexcept override { return 4; }

    result<handle> open_socket(address_family, socket_type) noexcept override {
        return failure(errc::unsupported);
    }
    result<std::pair<handle, handle>> open_pair(socket_type) noexcept override {
        return failure(errc::unsupported);
    }
    result<std::pair<handle, handle>> open_pipe() noexcept override {
        return failure(errc::unsupported);
    }
    result<void> bind(handle_record&, const address&) noexcept override {
        return failure(errc::unsupported);
    }
    result<void> listen(handle_record&, int) noexcept override {
        return failure(errc::unsupported);
    }
    result<address> local_address(handle_record&) noexcept override {
        return failure(errc::unsupported);
    }
    result<address> peer_address(handle_record&) noexcept override {
        return failure(errc::unsupported);
    }
    result<void> set_option(handle_record&, socket_option, std::int64_t) noexcept override {
        return failure(errc::unsupported);
    }
    result<std::int64_t> get_option(handle_record&, socket_option) noexcept override {
        return failure(errc::unsupported);
    }
    result<void> shut_down(handle_record&, shut) noexcept override {
        return failure(errc::unsupported);
    }
    result<handle> adopt(native_handle, handle_kind) noexcept override {
        return failure(errc::unsupported);
    }
    result<native_handle> release(handle&) noexcept override { return failure(errc::unsupported); }

  protected:
    bool submit(io_operation& op) noexcept override {
        held.push_back({&op, static_cast<record*>(op.target)->through});
        return false;
    }
    void cancel_all(handle_record&) noexcept override {}
    std::int64_t destroy(handle_record& target) noexcept override {
        delete static_cast<record*>(&target);
        note_gone();
        return 0;
    }

  private:
    struct record : handle_record {
        bool through = false;
    };
};

/// A request that runs by itself, until it is asked to end.
template <class Request>
class started {
  public:
    using value_type = typename Request::value_type;
    started(loop& home, Request what) : own_(home.root()) {
        own_.spawn_now(keep(std::move(what)), "started");
    }
    ~started() { EXPECT_EQ(own_.size(), 0U) << "left running"; }

    bool done() const { return outcome_.has_value(); }
    value_type& outcome() { return outcome_.value(); }
    void cancel(cancel_cause why = cancel_cause::cancelled) { own_.where().cancel(why); }
    void stop() { own_.stop(); }

  private:
    task<> keep(Request what) { outcome_.emplace(co_await std::move(what)); }
    std::optional<value_type> outcome_;
    scope own_;
};

/// A writer over a held disk, and what its test turns by hand.
class on_a_held_disk : public ::testing::Test {
  protected:
    void SetUp() override {
        auto made =
            loop::create([this](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
                auto held = std::make_unique<held_disk>(lent);
                disk_ = held.get();
                return held;
            });
        home_ = std::move(made.value());
        in_task([this] { renew_writer(false); });
    }
    void TearDown() override { writer_ = {}; }

    /// A new writer on a file of its own; `through`: with a handle for durable writes.
    void renew_writer(bool through) {
        file second;
        if (through) second = disk_->open(true);
        writer_ = ordered_writer::over(disk_->open(), 0, {}, std::move(second)).value();
    }
    /// Calls what has to be called on the loop.
    template <class Call>
    void in_task(Call call) {
        scope tasks(home_->root());
        const auto once = [](Call& inner) -> task<> {
            inner();
            co_return;
        };
        tasks.spawn_now(once(call));
        settle();
    }

    ordered_writer& writer() { return writer_; }
    auto write(std::string_view text, std::uint64_t offset) {
        return started(*home_, writer_.write_at(bytes_of(text), offset));
    }
    auto append(std::string_view text) { return started(*home_, writer_.append(bytes_of(text))); }
    auto commit(std::string_view text) { return started(*home_, writer_.commit(bytes_of(text))); }
    auto sync() { return started(*home_, writer_.sync()); }

    held_disk& disk() { return *disk_; }
    loop& home() { return *home_; }
    /// Lets all that can happen without the disk happen.
    void settle() {
        for (int count = 0; count < 4; ++count) home_->turn(loop::wait::none);
    }
    void answer(std::size_t index = 0) {
        disk_->answer(index);
        settle();
    }
    void answer(std::size_t index, std::int64_t result) {
        disk_->answer(index, result);
        settle();
    }
    /// What the disk is working on, in short: "w0:abc" writes abc at 0, "t…" durably, "s" syncs.
    std::string held() const {
        std::string all;
        for (const held_operation& one : disk_->held) {
            if (!all.empty()) all += ' ';
            if (one.is_sync())
                all += 's';
            else
                all += (one.through ? 't' : 'w') + std::to_string(one.offset()) + ':' + one.text();
        }
        return all;
    }

  private:
    std::unique_ptr<loop> home_;
    held_disk* disk_ = nullptr;
    ordered_writer writer_;
};

}  // namespace upcall::testing
