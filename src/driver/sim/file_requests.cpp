#include "file_requests.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <vector>

#include "driver.hpp"
#include "machine.hpp"
#include "op_memory.hpp"
#include "open_file.hpp"

namespace upcall::sim {
namespace {

constexpr std::uint64_t offset_max = std::numeric_limits<std::int64_t>::max();

bool is_aligned(std::uint64_t value, std::uint32_t alignment) noexcept {
    return alignment == 0 || value % alignment == 0;
}

bool is_aligned_for_direct(const open_file& opened, const io_operation& op) noexcept {
    if (!(opened.options() & open_direct)) return true;
    const file_status status = file_system::status_of(opened.file());
    if (!is_aligned(op.offset, status.direct_offset_alignment)) return false;
    const io_slice single{byte_span(static_cast<std::byte*>(op.data), op.size)};
    const bool vectored = op.flags & op_vectored;
    const std::span slices(vectored ? static_cast<const io_slice*>(op.data) : &single,
                           vectored ? op.size : 1);
    return std::ranges::all_of(slices, [&](const io_slice& slice) {
        return is_aligned(reinterpret_cast<std::uintptr_t>(slice.data),
                          status.direct_memory_alignment) &&
               is_aligned(slice.size, status.direct_offset_alignment);
    });
}

std::int64_t check_transfer(const open_file* opened, const io_operation& op, std::uint32_t way) {
    if (!opened) return -ESPIPE;
    if (!(opened->options() & way)) return -EBADF;
    if (opened->file().is_directory()) return way == open_read ? -EISDIR : -EBADF;
    if (op.offset > offset_max) return -EINVAL;
    if (!is_aligned_for_direct(*opened, op)) return -EINVAL;
    return 0;
}

std::int64_t perform_read(request& made) {
    const auto* opened = dynamic_cast<open_file*>(made.on.get());
    if (const auto error = check_transfer(opened, *made.op, open_read)) return error;
    const op_memory memory(*made.op);
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::min<std::uint64_t>(memory.size(), opened->file().size)));
    const std::size_t count = file_system::read(opened->file(), made.op->offset, bytes);
    memory.store(0, byte_view(bytes).first(count));
    return static_cast<std::int64_t>(count);
}

std::int64_t perform_write(request& made) {
    auto* opened = dynamic_cast<open_file*>(made.on.get());
    if (const auto error = check_transfer(opened, *made.op, open_write)) return error;
    machine& kernel = *made.kernel;
    const op_memory memory(*made.op);
    std::size_t count = memory.size();
    const bool appends = opened->options() & open_append;
    const std::uint64_t offset = appends ? opened->file().size : made.op->offset;
    if (count > offset_max - offset) return -EFBIG;
    if (count > 1 && kernel.choice.chance(kernel.options.faults.short_file_write))
        count = 1 + static_cast<std::size_t>(kernel.choice.below(count - 1));
    std::vector<std::byte> bytes(count);
    memory.load(0, bytes);
    if (kernel.choice.chance(kernel.options.faults.no_space)) return -ENOSPC;
    const bool written_back = kernel.choice.chance(kernel.options.write_back);
    const auto written =
        made.via->here().files.write(opened->file(), offset, bytes, kernel.now(), written_back);
    if (written && (opened->options() & open_durable))
        file_system::sync_range(opened->file(), offset, *written);
    return written ? static_cast<std::int64_t>(*written) : -written.error().value();
}

std::int64_t raw(const result<void>& outcome) { return outcome ? 0 : -outcome.error().value(); }

/// One call on files or paths, done all at once.
class call {
  public:
    call(node& here, const io_operation& op)
        : here_(here),
          files_(here.files),
          asked_(*static_cast<file_call_arguments*>(op.data)),
          target_(opened(op.target)) {}

    std::int64_t perform() {
        const time_point now = here_.kernel().now();
        switch (asked_.what) {
            case file_call::open:
                return open();
            case file_call::status:
                return status();
            case file_call::sync:
            case file_call::sync_data:
                return sync();
            case file_call::truncate:
                return truncate();
            case file_call::allocate:
                return allocate();
            case file_call::rename:
                return raw(files_.rename(start(), asked_.path, asked_.other_path, now));
            case file_call::remove_file:
                return raw(files_.remove_file(start(), asked_.path, now));
            case file_call::make_directory:
                return raw(files_.make_directory(start(), asked_.path, asked_.mode, now));
            case file_call::remove_directory:
                return raw(files_.remove_directory(start(), asked_.path, now));
            case file_call::list_directory:
                return list();
            case file_call::set_permissions:
                return set_permissions();
            case file_call::copy:
                return copy();
        }
        return raw_error(errc::unsupported);
    }

  private:
    std::shared_ptr<open_file> opened(handle_record* record) const {
        if (!record) return nullptr;
        return std::dynamic_pointer_cast<open_file>(here_.find(record->native));
    }

    /// Where relative paths begin.
    file_reference start() const {
        const auto directory = opened(asked_.directory);
        return directory ? directory->reference() : files_.root();
    }

    result<file_reference> subject() const {
        if (asked_.path) return files_.find(start(), asked_.path);
        if (!target_) return errno_failure(EBADF);
        return target_->reference();
    }

    bool is_writable() const noexcept {
        return target_ && (target_->options() & open_write) && !target_->file().is_directory();
    }

    std::int64_t open() {
        if (here_.full()) return -EMFILE;
        auto file =
            files_.open(start(), asked_.path, asked_.options, asked_.mode, here_.kernel().now());
        if (!file) return -file.error().value();
        return *here_.install(std::make_shared<open_file>(here_, std::move(*file), asked_.options));
    }

    std::int64_t status() const {
        const auto file = subject();
        if (!file) return -file.error().value();
        *asked_.status = file_system::status_of(**file);
        return 0;
    }

    std::int64_t sync() {
        if (!target_) return -EINVAL;
        machine& kernel = here_.kernel();
        const auto& faults = kernel.options.faults;
        if (kernel.choice.chance(faults.failed_sync)) {
            if (!target_->file().is_directory())
                file_system::fail_to_sync(target_->file(), kernel.choice);
            return -EIO;
        }
        if (kernel.choice.chance(faults.misdirected_write))
            file_system::misdirect(target_->file(), kernel.choice);
        files_.sync(target_->file());
        return 0;
    }

    std::int64_t truncate() {
        if (!is_writable() || asked_.size > offset_max) return -EINVAL;
        files_.truncate(target_->file(), asked_.size, here_.kernel().now());
        return 0;
    }

    std::int64_t allocate() {
        if (!is_writable()) return -EBADF;
        if (asked_.size == 0 || asked_.offset > offset_max) return -EINVAL;
        if (asked_.size > offset_max - asked_.offset) return -EFBIG;
        return raw(
            files_.allocate(target_->file(), asked_.offset, asked_.size, here_.kernel().now()));
    }

    std::int64_t set_permissions() {
        if (!target_) return -EBADF;
        target_->file().permissions = asked_.mode & 07777U;
        return 0;
    }

    std::int64_t list() const {
        const auto directory = subject();
        if (!directory) return -directory.error().value();
        if (!(*directory)->is_directory()) return -ENOTDIR;
        *asked_.entries = file_system::entries_of(**directory);
        return 0;
    }

    std::int64_t copy() {
        constexpr std::uint64_t piece = std::uint64_t{1} << 20;
        const auto to = opened(asked_.other);
        if (!target_ || !to || !(target_->options() & open_read) || !(to->options() & open_write))
            return -EBADF;
        if (asked_.offset > offset_max || asked_.other_offset > offset_max) return -EINVAL;
        std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(asked_.size, piece)));
        const auto count = file_system::read(target_->file(), asked_.offset, bytes);
        bytes.resize(count);
        const auto written =
            files_.write(to->file(), asked_.other_offset, bytes, here_.kernel().now());
        return written ? static_cast<std::int64_t>(*written) : -written.error().value();
    }

    node& here_;
    file_system& files_;
    file_call_arguments& asked_;
    std::shared_ptr<open_file> target_;
};

}  // namespace

bool is_planned(op_kind kind) noexcept {
    return kind == op_kind::file_read || kind == op_kind::file_write ||
           kind == op_kind::file_call || kind == op_kind::work;
}

std::int64_t perform_planned(request& made) {
    if (made.op->kind == op_kind::work) {
        const auto& asked = *static_cast<work_arguments*>(made.op->data);
        asked.run(asked.argument);
        return 0;
    }
    if (made.kernel->choice.chance(made.kernel->options.faults.file_error)) return -EIO;
    switch (made.op->kind) {
        case op_kind::file_read:
            return perform_read(made);
        case op_kind::file_write:
            return perform_write(made);
        default:
            return call(made.via->here(), *made.op).perform();
    }
}

}  // namespace upcall::sim
