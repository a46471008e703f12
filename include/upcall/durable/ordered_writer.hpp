// A file that is written in order and made durable in groups: what a log, a journal or a page
// store writes with.
//
//     auto log = (co_await ordered_writer::open("app.log")).value();
//     const auto added = co_await log.commit(record);   // appended, and on the disk
//     if (!added) co_return failed(added.cause);        // tells how far it came
//
// Order. Writes that overlap take effect in the order in which they were started; others run side
// by side. Appends are laid end to end in the order in which they were started, without gaps.
//
// Durability. Every write has a mark, numbered from 1. `durable_mark()` says up to which of them
// all that were reported as done are on the disk: those that had ended before a sync that
// succeeded was started. `commit` and `sync` wait until the mark has come far enough. However many
// wait, one sync serves them all, and its error goes to all of them.
//
// Failing. After a write that was cut short everything behind it is refused with `broken_stream`.
// After a sync that failed everything is refused with `not_durable`, for good: what had been
// written since the last one may be lost, and no later success of the kernel can tell (fsync(2)
// reports a lost page once). The way on is a new writer, after reading what the file holds.
//
// Cancelling. A write that still waits for its turn ends with `cancelled`, and nothing was written.
// One that the kernel has runs to its end, and its value is delivered. A `commit` that was written
// and is cancelled while it waits for the disk ends with all its bytes and the cause `cancelled`:
// the bytes are in the file, and may or may not become durable. The sync itself goes on for the
// others. Stopping a task ends none of this.
//
// For one loop. docs/durability.md says what a disk may still do.
#pragma once

#include <optional>
#include <string>

#include <upcall/durable/detail/writer_core.hpp>
#include <upcall/durable/sync_cost.hpp>
#include <upcall/io/detail/owners.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

/// How far a write came. True when it did all that was asked: for `commit` that includes the disk.
struct [[nodiscard("it says whether the bytes were written, and are durable")]] written {
    /// Where in the file its first byte is, or would have been.
    std::uint64_t offset = 0;
    /// Bytes that are in the file, whatever the cause.
    std::size_t bytes = 0;
    /// It is durable when ordered_writer::durable_mark() has come this far.
    std::uint64_t mark = 0;
    /// Why it did not come further; empty when it did.
    std::error_code cause{};

    explicit operator bool() const noexcept { return !cause; }
};

namespace detail {

class ordered_write : public writer_entry {
  public:
    struct arguments {
        writer_core* into;
        wish wants;
        bool appends;
        byte_view bytes;
        std::uint64_t offset;
    };
    explicit ordered_write(arguments&& given) noexcept;

    bool launch(context& where) noexcept;
    written take() const noexcept { return {offset, done, mark, why}; }
};

class ordered_wait : public writer_entry {
  public:
    struct arguments {
        writer_core* on;
        wish wants;
    };
    explicit ordered_wait(arguments&& given) noexcept;

    bool launch(context& where) noexcept;
    result<void> take() const noexcept {
        if (why) return failure(why);
        return {};
    }
};

}  // namespace detail

/// How a writer is opened, and how much it takes in.
struct writer_options {
    /// Permissions of a file that is created, less the umask.
    std::uint32_t mode = 0666;
    /// How a commit is made durable; none: the cheaper one, as `sync_cost_of` finds it.
    std::optional<sync_way> way{};
    /// Writes and syncs that may wait or run at one time before further ones are refused with
    /// queue_full. At least 1.
    std::size_t waiting_max = 1024;
};

/// Move-only; belongs to the loop it was opened on. Destroying it ends who waits with `closed`;
/// what the kernel has runs to its end, and then the file is closed.
class ordered_writer : detail::core_owner<detail::writer_core> {
  public:
    ordered_writer() = default;

    using core_owner::operator bool;

    /// Opens a regular file for writing, or creates it, and goes on at its end. When this is done
    /// the name is durable, too: its directory was synced. Where several writers or programs write
    /// one file at once, no order and no mark holds. Errors: of open(2) and fsync(2);
    /// invalid_argument for a waiting_max of 0; not_enough_memory.
    static task<result<ordered_writer>> open(std::string path, writer_options options = {});

    /// The same over a file that is open for writing, going on at `end`; of the options
    /// `waiting_max` counts. `through` may be the same file once more, opened with open_durable:
    /// commits that have the disk to themselves are then written through it. Errors: no_loop,
    /// wrong_loop, closed, invalid_argument, not_enough_memory; the files are closed then.
    static result<ordered_writer> over(file opened, std::uint64_t end, writer_options options = {},
                                       file through = {});

    /// Writes `bytes` at the end of the file: a `written`. They must stay until it has completed.
    /// Errors beside those of pwrite(2): queue_full, broken_stream, not_durable, closed.
    request<detail::ordered_write> append(outgoing bytes) {
        return write(detail::writer_entry::wish::write, true, bytes, 0);
    }
    /// The same at `offset`. Error also: invalid_argument past the largest offset of a file.
    request<detail::ordered_write> write_at(outgoing bytes, std::uint64_t offset) {
        return write(detail::writer_entry::wish::write, false, bytes, offset);
    }

    /// As `append` and `write_at`, and then waits until the bytes, and all that was started before
    /// them, are durable.
    request<detail::ordered_write> commit(outgoing bytes) {
        return write(detail::writer_entry::wish::commit, true, bytes, 0);
    }
    request<detail::ordered_write> commit_at(outgoing bytes, std::uint64_t offset) {
        return write(detail::writer_entry::wish::commit, false, bytes, offset);
    }

    /// Waits until all that was started before is durable: result<void>. Cancelling it ends the
    /// wait and says nothing about the disk. Errors as for `commit`.
    request<detail::ordered_wait> sync() {
        return request<detail::ordered_wait>({core_, detail::writer_entry::wish::sync});
    }

    /// Every write up to this mark that was reported as done is durable. Never goes back.
    std::uint64_t durable_mark() const noexcept { return core_ ? core_->durable_mark() : 0; }
    /// Where the next append goes, as far as the kernel has been asked.
    std::uint64_t end() const noexcept { return core_ ? core_->end() : 0; }
    /// Why nothing more is taken: broken_stream, not_durable or closed; empty while all is well.
    std::error_code broken() const noexcept {
        return core_ ? core_->refusal() : make_error_code(errc::closed);
    }
    /// How commits are made durable while they have the disk to themselves.
    sync_way way() const noexcept {
        return core_ && core_->writes_through() ? sync_way::write_through : sync_way::sync_after;
    }

    /// Syncs what is not durable yet, waits for what is in flight and closes the file. Writes that
    /// are started meanwhile are refused. The writer is empty afterwards, whatever the outcome: the
    /// first error of the sync and of close(2).
    task<result<void>> close();

  private:
    explicit ordered_writer(detail::writer_core* core) noexcept : core_owner(core) {}

    static result<ordered_writer> make(file&& into, file&& through, std::uint64_t end,
                                       const writer_options& options);

    request<detail::ordered_write> write(detail::writer_entry::wish wants, bool appends,
                                         byte_view bytes, std::uint64_t offset) {
        return request<detail::ordered_write>({core_, wants, appends, bytes, offset});
    }
};

}  // namespace upcall
