// The operations behind io/file.hpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <upcall/driver/file_call.hpp>
#include <upcall/io/detail/file_queue.hpp>
#include <upcall/task/request.hpp>

namespace upcall {
class file;
}

namespace upcall::detail {

/// A read or write at a position; with `whole` it goes on after short ones.
class file_transfer : public io_operation {
  public:
    struct arguments {
        handle_record* target;
        op_kind kind;
        void* data;
        std::size_t size;
        std::uint64_t offset;
        bool vectored;
        bool whole;
    };
    explicit file_transfer(arguments&& given) noexcept;

    bool launch(context& where) noexcept;
    bool settle() noexcept;

    // ---- for the queue ----------------------------------------------------------------------

    /// The one that it went through, or null.
    file_queue* queue() const noexcept { return queue_; }
    /// Counts what was transferred. True when there is more to do.
    bool again() noexcept;

  protected:
    std::size_t done() const noexcept { return done_; }
    std::error_code error() const noexcept;

  private:
    bool over() noexcept;
    /// Whether it keeps the record of its file from beginning to end.
    bool holds() const noexcept { return whole_ || queue_; }

    std::size_t done_ = 0;
    file_queue* queue_ = nullptr;
    bool whole_;
};

class some_file_transfer : public file_transfer {
  public:
    using file_transfer::file_transfer;
    upcall::result<std::size_t> take() const noexcept {
        if (const std::error_code why = error()) return failure(why);
        return done();
    }
};

class whole_file_transfer : public file_transfer {
  public:
    using file_transfer::file_transfer;
    transfer take() const noexcept { return {done(), error()}; }
};

/// A call on files that always blocks; it owns the paths it names.
class file_call_operation : public io_operation {
  public:
    struct arguments {
        file_call what{};
        handle_record* target = nullptr;
        std::string path{};
        std::string other_path{};
        handle_record* other = nullptr;
        std::uint32_t options = 0;
        std::uint32_t mode = 0;
        std::uint64_t offset = 0;
        std::uint64_t other_offset = 0;
        std::uint64_t size = 0;
        bool on_path = false;  // `path` counts, and `target` is the directory it starts from
    };
    explicit file_call_operation(arguments&& given) noexcept;

    bool launch(context& where) noexcept;
    bool settle() noexcept { return true; }

  protected:
    std::error_code error() const noexcept {
        return result < 0 ? error_of(*this) : std::error_code{};
    }

    arguments given_;
    file_call_arguments asked_;
};

class simple_file_call : public file_call_operation {
  public:
    using file_call_operation::file_call_operation;
    upcall::result<void> take() const noexcept {
        if (const std::error_code why = error()) return failure(why);
        return {};
    }
};

class open_file_operation : public file_call_operation {
  public:
    using file_call_operation::file_call_operation;
    /// Closes what was opened if nobody took it.
    ~open_file_operation();
    bool launch(context& where) noexcept;
    bool settle() noexcept;
    upcall::result<file> take();

  private:
    loop* home_ = nullptr;
    native_handle opened_ = no_native_handle;
};

class status_operation : public file_call_operation {
  public:
    explicit status_operation(arguments&& given) noexcept : file_call_operation(std::move(given)) {}
    bool launch(context& where) noexcept {
        asked_.status = &status_;
        return file_call_operation::launch(where);
    }
    upcall::result<file_status> take() const noexcept {
        if (const std::error_code why = error()) return failure(why);
        return status_;
    }

  private:
    file_status status_;
};

class list_operation : public file_call_operation {
  public:
    using file_call_operation::file_call_operation;
    bool launch(context& where) noexcept {
        asked_.entries = &entries_;
        return file_call_operation::launch(where);
    }
    upcall::result<std::vector<directory_entry>> take() {
        if (const std::error_code why = error()) return failure(why);
        return std::move(entries_);
    }

  private:
    std::vector<directory_entry> entries_;
};

/// Copies in bounded steps, so that a cancellation is heeded between them.
class copy_operation : public file_call_operation {
  public:
    explicit copy_operation(arguments&& given) noexcept
        : file_call_operation(std::move(given)), left_(given_.size) {}
    bool launch(context& where) noexcept;
    bool settle() noexcept;
    transfer take() const noexcept { return {static_cast<std::size_t>(done_), why_}; }

  private:
    void next_step() noexcept;
    bool advance() noexcept;
    bool over() noexcept;

    std::uint64_t left_;
    std::uint64_t done_ = 0;
    std::error_code why_;
};

class close_file_operation : public operation_base {
  public:
    struct arguments {
        handle file;
        file_queue_owner queue;
    };
    explicit close_file_operation(arguments&& given) noexcept
        : file_(std::move(given.file)), queue_(std::move(given.queue)) {}
    bool launch(context& where) noexcept;
    upcall::result<void> take() const noexcept {
        if (outcome_ < 0) return failure(error_from_raw(outcome_));
        return {};
    }

  private:
    handle file_;
    file_queue_owner queue_;
    std::int64_t outcome_ = 0;
    bool launching_ = false;
    bool closed_ = false;
};

}  // namespace upcall::detail
