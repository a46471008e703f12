#include <upcall/durable/ordered_writer.hpp>

#include "durable/path.hpp"

namespace upcall {

namespace detail {

ordered_write::ordered_write(arguments&& given) noexcept {
    core = given.into;
    wants = given.wants;
    appends = given.appends;
    data = given.bytes.data();
    size = given.bytes.size();
    offset = given.offset;
}

bool ordered_write::launch(context& where) noexcept {
    if (core) return core->launch(*this, where);
    why = errc::closed;
    return true;
}

ordered_wait::ordered_wait(arguments&& given) noexcept {
    core = given.on;
    wants = given.wants;
}

bool ordered_wait::launch(context& where) noexcept {
    if (core) return core->launch(*this, where);
    why = errc::closed;
    return true;
}

namespace {

constexpr std::uint32_t base_options = open_write | open_regular;

/// Makes the directory's entry for a file durable. Windows keeps a journal of names, and flushes no
/// directory.
task<result<void>> sync_folder(std::string name) {
#ifdef _WIN32
    static_cast<void>(name);
    co_return result<void>{};
#else
    auto folder = co_await file::open(std::move(name), open_read | open_directory);
    if (!folder) co_return failure(folder.error());
    co_return co_await folder->sync();
#endif
}

/// The same file once more, with writes that are durable when they end; empty if it cannot be had.
task<file> open_through(const std::string& path, const file_status& expected) {
    auto again = co_await file::open(path, base_options | open_durable);
    if (!again) co_return file();
    const auto seen = co_await again->status();
    // The name may have been given to another file meanwhile.
    if (!seen || seen->device != expected.device || seen->inode != expected.inode) co_return file();
    co_return std::move(*again);
}

}  // namespace
}  // namespace detail

result<ordered_writer> ordered_writer::make(file&& into, file&& through, std::uint64_t end,
                                            const writer_options& options) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    if (!into) return failure(errc::closed);
    if (into.record()->via != &home->via()) return failure(errc::wrong_loop);
    if (through && through.record()->via != &home->via()) return failure(errc::wrong_loop);
    if (options.waiting_max == 0) return failure(std::errc::invalid_argument);
    try {
        return ordered_writer(new detail::writer_core(*home, std::move(into), std::move(through),
                                                      end, options.waiting_max));
    } catch (const std::bad_alloc&) {
        return failure(std::errc::not_enough_memory);
    }
}

task<result<ordered_writer>> ordered_writer::open(std::string path, writer_options options) {
    if (options.waiting_max == 0) co_return failure(std::errc::invalid_argument);
    auto opened = co_await file::open(path, detail::base_options | open_create, options.mode);
    if (!opened) co_return failure(opened.error());
    const auto about = co_await opened->status();
    if (!about) co_return failure(about.error());
    const std::string folder(detail::split(path).folder);
    const auto named = co_await detail::sync_folder(folder);
    if (!named) co_return failure(named.error());
    sync_way way = sync_way::sync_after;
    if (options.way) {
        way = *options.way;
    } else {
        const sync_cost cost = co_await sync_cost_of(folder);
        way = cost.cheaper;
    }
    file through;
    if (way == sync_way::write_through) through = co_await detail::open_through(path, *about);
    co_return make(std::move(*opened), std::move(through), about->size, options);
}

result<ordered_writer> ordered_writer::over(file opened, std::uint64_t end, writer_options options,
                                            file through) {
    return make(std::move(opened), std::move(through), end, options);
}

task<result<void>> ordered_writer::close() {
    ordered_writer mine(std::move(*this));
    if (!mine) co_return failure(errc::closed);
    mine.core_->refuse_more();
    const auto synced = co_await mine.sync();
    using wish = detail::writer_entry::wish;
    static_cast<void>(co_await request<detail::ordered_wait>({mine.core_, wish::drain}));
    file last = mine.core_->take_file();
    const auto closed = co_await last.close();
    if (!synced) co_return failure(synced.error());
    co_return closed;
}

}  // namespace upcall
