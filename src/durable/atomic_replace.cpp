#include <upcall/durable/atomic_replace.hpp>

#include <array>
#include <cstdio>
#include <exception>

#include <upcall/io/file.hpp>
#include <upcall/task/shield.hpp>
#include <upcall/task/this_task.hpp>

#include "base/planted.hpp"
#include "durable/path.hpp"

namespace upcall {
namespace {

constexpr duration removal_grace = std::chrono::seconds(5);
/// What a name may have left of 255 bytes (NAME_MAX) beside what is put around it.
constexpr std::size_t name_kept_max = 200;
constexpr std::uint32_t usual_permissions = 0666;
constexpr std::uint32_t hidden_permissions = 0600;

std::string temporary_name(std::string_view name, std::uint64_t drawn) {
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), ".%016llx.tmp",
                  static_cast<unsigned long long>(drawn));
    std::string made = ".";
    made += name.substr(0, name_kept_max);
    made += digits.data();
    return made;
}

/// What is there under the name, without following a symbolic link where the host can do so.
task<result<file_status>> look_at(const file& folder, const std::string& name) {
    const auto seen = co_await status(name, &folder, open_beneath | open_no_symlinks);
    if (!seen && seen.error() == errc::unsupported) co_return co_await status(name, &folder);
    co_return seen;
}

/// The permissions that the new file is to be given; none: those of a new file.
task<result<std::optional<std::uint32_t>>> permissions_for(const file& folder,
                                                           const std::string& name,
                                                           const replace_options& options) {
    const auto old = co_await look_at(folder, name);
    if (!old && old.error() != std::errc::no_such_file_or_directory) co_return failure(old.error());
    if (!old) co_return options.permissions;
    if (old->type == file_type::directory) co_return failure(std::errc::is_a_directory);
    if (old->type != file_type::regular) co_return failure(std::errc::invalid_argument);
    co_return options.permissions ? *options.permissions : old->permissions;
}

/// Writes the file under its temporary name, up to and with its closing.
task<std::error_code> fill(file opened, byte_view bytes, std::optional<std::uint32_t> permissions) {
    if (permissions) {
        const auto given = co_await opened.set_permissions(*permissions);
        if (!given && given.error() != errc::unsupported) co_return given.error();
    }
    const auto wrote = co_await opened.write_all_at(bytes, 0);
    if (!wrote) co_return wrote.cause;
    if (!UPCALL_PLANTED("a replacement leaves out the file")) {
        const auto synced = co_await opened.sync();
        if (!synced) co_return synced.error();
    }
    const auto closed = co_await opened.close();
    co_return closed ? std::error_code{} : closed.error();
}

task<> remove(const file& folder, const std::string& name) {
    static_cast<void>(co_await remove_file(name, &folder));
}

/// Writes and renames. The temporary file is gone when this ends, whatever the outcome.
task<std::error_code> put(const file& folder, const std::string& name, const std::string& temporary,
                          byte_view bytes, std::optional<std::uint32_t> permissions) {
    task<> removal = remove(folder, temporary);  // while there is memory for it
    auto opened =
        co_await file::open(temporary, open_write | open_create | open_exclusive,
                            permissions ? hidden_permissions : usual_permissions, &folder);
    if (!opened) co_return opened.error();
    std::error_code why;
    std::exception_ptr thrown;
    try {
        why = co_await fill(std::move(*opened), bytes, permissions);
        if (!why) {
            const auto renamed = co_await rename(temporary, name, &folder);
            if (renamed) co_return std::error_code{};
            why = renamed.error();
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await shield(removal_grace, std::move(removal));
    if (thrown) std::rethrow_exception(thrown);
    co_return why;
}

task<std::error_code> sync_names(file& folder) {
#ifdef _WIN32
    static_cast<void>(folder);
    co_return std::error_code{};
#else
    const auto synced = co_await folder.sync();
    co_return synced ? std::error_code{} : synced.error();
#endif
}

}  // namespace

task<replacement> atomic_replace(std::string path, byte_view bytes, replace_options options) {
    const detail::path_parts parts = detail::split(path);
    const std::string name(parts.name);
    if (name.empty() || name == "." || name == "..")
        co_return replacement{.cause = std::make_error_code(std::errc::invalid_argument)};
    auto folder = co_await file::open(std::string(parts.folder), open_read | open_directory);
    if (!folder) co_return replacement{.cause = folder.error()};
    const auto permissions = co_await permissions_for(*folder, name, options);
    if (!permissions) co_return replacement{.cause = permissions.error()};
    loop& home = co_await this_task::home();
    const std::string temporary = temporary_name(name, home.via().random());
    const auto unwritten = co_await put(*folder, name, temporary, bytes, *permissions);
    if (unwritten) co_return replacement{.cause = unwritten};
    if (UPCALL_PLANTED("a replacement leaves out the directory"))
        co_return replacement{.replaced = true};
    const auto unsynced = co_await sync_names(*folder);
    co_return replacement{.replaced = true, .cause = unsynced};
}

}  // namespace upcall
