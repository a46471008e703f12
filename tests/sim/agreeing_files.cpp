// Random programs over files, for agreement.hpp.
#include <algorithm>
#include <optional>

#include "agreement.hpp"

namespace upcall::sim {
namespace {

constexpr std::size_t steps = 60;
constexpr std::array names{"a", "b", "c", "d", "a/x"};

class filing {
  public:
    filing(told& trace, std::string folder) : trace_(trace), folder_(std::move(folder)) {}

    task<> run() {
        for (std::size_t step = 0; step < steps; ++step) {
            if (trace_.below(2) == 0)
                co_await with_open();
            else
                co_await with_names();
        }
        co_await look();
    }

  private:
    std::string some_name() { return folder_ + names[trace_.below(names.size())]; }
    std::optional<file>& some_file() { return open_[trace_.below(open_.size())]; }

    task<> open() {
        constexpr std::array<std::uint32_t, 3> kinds{open_read, open_write, open_read | open_write};
        const std::uint32_t kind = kinds[trace_.below(kinds.size())];
        std::uint32_t how = kind;
        if (trace_.below(2) == 0) how |= open_create;
        if (trace_.below(6) == 0) how |= open_create | open_exclusive;
        if (trace_.below(6) == 0 && (kind & open_write)) how |= open_truncate;
        std::optional<file>& slot = some_file();
        slot.reset();
        auto opened = co_await file::open(some_name(), how);
        trace_.note("open " + std::to_string(how), opened);
        if (opened) slot.emplace(std::move(*opened));
    }

    task<> with_open() {
        std::optional<file>& on = some_file();
        const std::size_t offset = trace_.below(20'000);
        const std::string text = trace_.text(1 + trace_.below(6000));
        const std::size_t what = trace_.below(8);
        if (!on) {
            co_await open();
        } else if (what < 2) {
            std::string room(text.size(), '?');
            const auto got = co_await on->read_exactly_at(room_in(room), offset);
            trace_.note("read", got);
            trace_.note_text("read", std::string_view(room).substr(0, got.bytes));
        } else if (what < 5) {
            const auto wrote = co_await on->write_all_at(bytes_of(text), offset);
            trace_.note("write", wrote);
        } else if (what == 5) {
            const auto cut = co_await on->truncate(offset);
            trace_.note("truncate", cut);
        } else if (what == 6) {
            const auto about = co_await on->status();
            trace_.note("size", about ? result<std::uint64_t>(about->size)
                                      : result<std::uint64_t>(failure(about.error())));
            const auto synced = co_await on->sync();
            trace_.note("sync", synced);
        } else {
            const auto closed = co_await on->close();
            trace_.note("close", closed);
            on.reset();
        }
    }

    task<> with_names() {
        const std::string name = some_name();
        const std::string other = some_name();
        const std::size_t what = trace_.below(7);
        if (what == 0) {
            const auto done = co_await upcall::rename(name, other);
            trace_.note("rename", done);
        } else if (what == 1) {
            const auto done = co_await remove_file(name);
            trace_.note("remove", done);
        } else if (what == 2) {
            const auto done = co_await make_directory(name);
            trace_.note("make directory", done);
        } else if (what == 3) {
            const auto done = co_await remove_directory(name);
            trace_.note("remove directory", done);
        } else if (what == 4) {
            co_await look();
        } else {
            co_await open();
        }
    }

    task<> look() {
        auto all = co_await list_directory(folder_);
        trace_.note("list", all ? std::error_code{} : all.error());
        if (!all) co_return;
        std::ranges::sort(*all, {}, &directory_entry::name);
        for (const directory_entry& entry : *all) {
            const auto about = co_await status(folder_ + entry.name);
            const bool is_file = about && about->type == file_type::regular;
            trace_.note(entry.name + (is_file ? ", " + std::to_string(about->size) : ", no file"));
        }
    }

    told& trace_;
    std::string folder_;
    std::array<std::optional<file>, 3> open_;
};

}  // namespace

task<> use_files(told& trace, std::string folder) {
    filing all(trace, std::move(folder));
    co_await all.run();
}

}  // namespace upcall::sim
