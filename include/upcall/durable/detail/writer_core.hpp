// The pinned half of an ordered_writer: who waits, what the kernel works on, and how far the disk
// is known to be.
//
// Marks. Every write gets the next number when it is started. `synced_` is the durable mark: every
// write up to it that was reported as done is on the disk. A sync covers what had ended when it was
// handed over, never what ended meanwhile.
//
// Dispatching happens behind everything that is ready, in `pump`: the writes of all who were
// resumed together are then queued, and those that follow each other in the file go to the kernel
// as one batch. A write waits while an earlier one that it overlaps has not ended, and an append
// waits for all that is queued before it, since it does not know its place before.
//
// Syncing. When somebody wants a mark that is not durable, the goal is set to the last mark wanted
// so far; when all writes up to the goal have ended, one sync is started, and who comes later waits
// for the next. The goal stands still, so a stream of new writes cannot put the sync off.
//
// Failing. After a write that was cut short the mark never passes it, and what is behind it is
// refused: an acknowledged record behind a gap would be lost by whoever reads the file up to the
// gap. After a failed sync nothing more is claimed at all: the kernel reports lost pages once, so
// that a later success would prove nothing.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include <upcall/io/file.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

class writer_core;

/// One who writes or waits, linked in the core while it does.
struct writer_entry : operation, list_hook<writer_core> {
    enum class wish : std::uint8_t {
        write,   // the kernel has the bytes
        commit,  // and they are durable
        sync,    // all that was started before is durable
        drain,   // nothing is in flight
    };
    enum class stage : std::uint8_t { queued, writing, waiting };

    writer_core* core = nullptr;
    wish wants = wish::write;
    stage at = stage::queued;
    bool appends = false;
    const std::byte* data = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    std::uint64_t mark = 0;
    std::size_t done = 0;
    std::error_code why;

    std::uint64_t end() const noexcept { return offset + size; }
    bool settle() noexcept { return true; }
};

/// Writes that follow each other in the file, as one operation of the driver.
struct writer_batch : io_operation {
    static constexpr std::size_t members_max = 64;
    static constexpr std::size_t bytes_max = std::size_t{1} << 20;

    writer_core* core = nullptr;
    bool through = false;  // by the handle whose writes are durable when they end
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::size_t moved = 0;
    std::uint64_t begins = 0;
    std::uint64_t last_mark = 0;
    list<writer_entry, writer_core> members;
    std::array<io_slice, members_max> pieces;

    std::uint64_t ends() const noexcept { return begins + bytes; }
};

class writer_core final : recycled {
  public:
    using recycled::operator new;
    using recycled::operator delete;

    /// Batches in flight at one time; further writes wait.
    static constexpr std::size_t batches_max = 8;

    /// `through` may be empty: then every commit is a write and a sync.
    writer_core(loop& home, file&& into, file&& through, std::uint64_t end,
                std::size_t waiting_max) noexcept;
    writer_core(const writer_core&) = delete;
    writer_core& operator=(const writer_core&) = delete;

    /// Starts an entry; true when it is finished already (and idle).
    bool launch(writer_entry& entry, context& where) noexcept;

    /// The owner lets go: who waits ends with `closed`, what the kernel has runs to its end. The
    /// core frees itself, and closes the file, after that.
    void abandon() noexcept;
    /// No more is taken, but for a sync and a drain.
    void refuse_more() noexcept { closing_ = true; }
    /// When nothing is in flight: the file, to be closed.
    file take_file() noexcept { return std::move(file_); }

    std::uint64_t durable_mark() const noexcept { return synced_; }
    std::uint64_t end() const noexcept { return end_; }
    std::error_code refusal() const noexcept;
    bool writes_through() const noexcept { return static_cast<bool>(through_); }

  private:
    enum class condition : std::uint8_t { working, broken, poisoned, closed };
    using entries = list<writer_entry, writer_core>;
    static constexpr std::uint64_t no_mark = std::numeric_limits<std::uint64_t>::max();

    ~writer_core() = default;

    std::error_code objection(writer_entry& entry, const context& where) const noexcept;
    bool is_over(writer_entry& entry) noexcept;
    static void cancel_entry(operation& op) noexcept;
    void finish(writer_entry& entry, std::error_code why) noexcept;
    void finish_all(entries& of, std::error_code why) noexcept;

    void schedule() noexcept;
    void pump() noexcept;

    void dispatch() noexcept;
    writer_batch* free_batch() noexcept;
    bool may_start(writer_entry& entry, writer_entry* blocked) noexcept;
    bool goes_through(writer_entry& entry) noexcept;
    writer_entry* fill(writer_batch& batch, writer_entry& first, writer_entry* blocked) noexcept;
    bool joins(const writer_batch& batch, writer_entry& entry, writer_entry* blocked) noexcept;
    void take(writer_batch& batch, writer_entry& entry) noexcept;
    void run(writer_batch& batch) noexcept;
    void hand_over(writer_batch& batch) noexcept;
    static bool advance(writer_batch& batch) noexcept;
    void ended(writer_batch& batch) noexcept;
    void wrote(writer_entry& entry) noexcept;

    std::uint64_t ended_mark() noexcept;
    void consider_sync() noexcept;
    void synced() noexcept;
    void settle_waiting() noexcept;
    void break_at(std::uint64_t mark) noexcept;
    void poison(std::uint64_t up_to, std::error_code why) noexcept;
    bool is_idle() const noexcept { return waiting_count_ == 0 && in_flight_ == 0 && !syncing_; }

    void hold() noexcept { ++references_; }
    void drop() noexcept {
        if (--references_ == 0) delete this;
    }

    struct pump_node : ready_node {
        writer_core* core = nullptr;
        bool queued = false;
    };
    struct sync_operation : io_operation {
        writer_core* core = nullptr;
        file_call_arguments asked;
    };

    loop* home_;
    file file_;
    file through_;
    std::uint64_t end_;
    std::size_t waiting_max_;
    std::size_t waiting_count_ = 0;  // entries, but for a drain
    std::uint32_t references_ = 1;
    std::uint32_t in_flight_ = 0;
    condition condition_ = condition::working;
    bool closing_ = false;
    bool syncing_ = false;
    bool through_in_flight_ = false;

    std::uint64_t last_mark_ = 0;      // of all that was started
    std::uint64_t wanted_ = 0;         // the last that somebody wants to be durable
    std::uint64_t goal_ = 0;           // what the next sync waits for
    std::uint64_t covered_ = 0;        // by the sync in flight
    std::uint64_t synced_ = 0;         // the durable mark
    std::uint64_t last_unsynced_ = 0;  // the last that was written and needs a sync
    std::uint64_t broken_at_ = no_mark;

    entries queued_;   // writes that the kernel does not have, in the order of their marks
    entries waiting_;  // who waits for a mark to be durable, or for the end
    std::array<writer_batch, batches_max> batches_;
    sync_operation sync_;
    pump_node pump_;
};

}  // namespace upcall::detail
