#include "driver/iocp/file_calls.hpp"

#include <cerrno>
#include <limits>
#include <string>
#include <string_view>

#include "driver/iocp/errors.hpp"

namespace upcall {
namespace {

constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr std::int64_t unix_epoch = 116'444'736'000'000'000;  // in steps of 100 ns since 1601

HANDLE native_of(const handle_record* record) noexcept {
    return record ? reinterpret_cast<HANDLE>(record->native) : INVALID_HANDLE_VALUE;
}

std::int64_t raw_last_error() noexcept { return raw_of(::GetLastError()); }

std::int64_t raw_of_call(BOOL worked) noexcept { return worked ? 0 : raw_last_error(); }

/// UTF-8 as Windows wants it.
result<std::wstring> widened(std::string_view text) {
    if (text.empty()) return failure(std::make_error_code(std::errc::no_such_file_or_directory));
    const int bytes = static_cast<int>(text.size());
    const int size =
        ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), bytes, nullptr, 0);
    if (size == 0) return failure(std::make_error_code(std::errc::illegal_byte_sequence));
    std::wstring wide(static_cast<std::size_t>(size), L'\0');
    ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), bytes, wide.data(), size);
    return wide;
}

std::string narrowed(std::wstring_view wide) {
    const int units = static_cast<int>(wide.size());
    const int size =
        ::WideCharToMultiByte(CP_UTF8, 0, wide.data(), units, nullptr, 0, nullptr, nullptr);
    std::string text(static_cast<std::size_t>(size), '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, wide.data(), units, text.data(), size, nullptr, nullptr);
    return text;
}

bool is_absolute(std::wstring_view path) noexcept {
    return path.starts_with(L'\\') || path.starts_with(L'/') ||
           (path.size() > 1 && path[1] == L':');
}

/// Where a file is, with every link in its path resolved.
result<std::wstring> final_path_of(HANDLE file) {
    std::wstring whole(32768, L'\0');
    const DWORD size = ::GetFinalPathNameByHandleW(
        file, whole.data(), static_cast<DWORD>(whole.size()), FILE_NAME_NORMALIZED);
    if (size == 0 || size >= whole.size()) return last_error();
    whole.resize(size);
    return whole;
}

/// The path, below the directory that it is relative to.
result<std::wstring> path_of(const file_call_arguments& asked, const char* path) {
    auto wide = widened(path);
    if (!wide || !asked.directory || is_absolute(*wide)) return wide;
    auto whole = final_path_of(native_of(asked.directory));
    if (!whole) return whole;
    if (*wide == L".") return whole;
    for (wchar_t& unit : *wide)
        if (unit == L'/') unit = L'\\';  // such a path is taken as it stands
    return *whole + L'\\' + *wide;
}

bool same_path(std::wstring_view left, std::wstring_view right) noexcept {
    return ::CompareStringOrdinal(left.data(), static_cast<int>(left.size()), right.data(),
                                  static_cast<int>(right.size()), TRUE) == CSTR_EQUAL;
}

/// Whether open_beneath may ask for this path at all: only to read, and below a directory.
std::int64_t objection_beneath(const file_call_arguments& asked) {
    if (!(asked.options & open_beneath)) return 0;
    if (!asked.directory || asked.options & (open_write | open_create))
        return raw_error(errc::unsupported);
    const auto wide = widened(asked.path);
    if (!wide) return -wide.error().value();
    return is_absolute(*wide) || wide->find(L':') != wide->npos ? -EXDEV : 0;
}

/// What open_beneath and open_no_symlinks have against where `file` turned out to be.
std::int64_t objection_to_place(HANDLE file, const file_call_arguments& asked,
                                std::wstring_view wanted) {
    if (!(asked.options & open_beneath)) return 0;
    const auto place = final_path_of(file);
    if (!place) return -place.error().value();
    const auto root = final_path_of(native_of(asked.directory));
    if (!root) return -root.error().value();
    const bool beneath = same_path(*place, *root) ||
                         (place->size() > root->size() && (*place)[root->size()] == L'\\' &&
                          same_path(std::wstring_view(*place).substr(0, root->size()), *root));
    if (!beneath) return -EXDEV;
    return (asked.options & open_no_symlinks) && !same_path(*place, wanted) ? -ELOOP : 0;
}

// ---- open ---------------------------------------------------------------------------------------

DWORD access_of(std::uint32_t options) noexcept {
    DWORD access = 0;
    if (options & open_read) access |= GENERIC_READ;
    if (!(options & open_write)) return access;
    // Without FILE_WRITE_DATA every write goes to the end, whatever its offset.
    if (options & open_append)
        return access | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE;
    return access | GENERIC_WRITE;
}

DWORD creation_of(std::uint32_t options) noexcept {
    // Opening makes no directories: then it is there already, or an error.
    if (options & open_directory) return OPEN_EXISTING;
    if (options & open_create) return options & open_exclusive ? CREATE_NEW : OPEN_ALWAYS;
    return OPEN_EXISTING;
}

DWORD flags_of(std::uint32_t options) noexcept {
    // Directories open only as if for a backup.
    DWORD flags = FILE_FLAG_OVERLAPPED | FILE_FLAG_BACKUP_SEMANTICS;
    if (options & open_direct) flags |= FILE_FLAG_NO_BUFFERING;
    if (options & open_durable) flags |= FILE_FLAG_WRITE_THROUGH;
    return flags;
}

/// What POSIX would have refused to open.
int objection_to(HANDLE file, std::uint32_t options) noexcept {
    BY_HANDLE_FILE_INFORMATION about;
    if (::GetFileType(file) != FILE_TYPE_DISK || !::GetFileInformationByHandle(file, &about))
        return options & (open_regular | open_directory) ? EINVAL : 0;
    const bool directory = about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY;
    if (directory && (options & (open_write | open_create | open_regular))) return EISDIR;
    if (!directory && (options & open_directory)) return ENOTDIR;
    return 0;
}

std::int64_t truncate(HANDLE file, std::uint64_t size) noexcept {
    FILE_END_OF_FILE_INFO end{};
    end.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
    return raw_of_call(::SetFileInformationByHandle(file, FileEndOfFileInfo, &end, sizeof end));
}

/// What open_truncate asks for, with the result of a call.
std::int64_t open_truncated(HANDLE file, std::uint32_t options) noexcept {
    if (!(options & open_truncate) || !(options & open_write)) return 0;
    if (!(options & open_append)) return truncate(file, 0);
    // A handle that only appends may not cut.
    const HANDLE cutting = ::ReOpenFile(file, GENERIC_WRITE, share_all, 0);
    if (cutting == INVALID_HANDLE_VALUE) return raw_last_error();
    const std::int64_t outcome = truncate(cutting, 0);
    ::CloseHandle(cutting);
    return outcome;
}

std::int64_t open(const file_call_arguments& asked) {
    if (const std::int64_t objection = objection_beneath(asked)) return objection;
    if (!(asked.options & (open_read | open_write))) return -EINVAL;
    const auto path = path_of(asked, asked.path);
    if (!path) return -path.error().value();
    const HANDLE file = ::CreateFileW(path->c_str(), access_of(asked.options), share_all, nullptr,
                                      creation_of(asked.options),
                                      flags_of(asked.options) | FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        const DWORD error = ::GetLastError();
        const DWORD found = ::GetFileAttributesW(path->c_str());
        const bool directory =
            found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY);
        if (directory && error == ERROR_ACCESS_DENIED) return -EISDIR;
        return raw_of(error);
    }
    if (const std::int64_t objection = objection_to_place(file, asked, *path)) {
        ::CloseHandle(file);
        return objection;
    }
    if (const int objection = objection_to(file, asked.options)) {
        ::CloseHandle(file);
        return -objection;
    }
    if (const std::int64_t failed = open_truncated(file, asked.options)) {
        ::CloseHandle(file);
        return failed;
    }
    return reinterpret_cast<native_handle>(file);
}

// ---- status -------------------------------------------------------------------------------------

std::int64_t nanoseconds_of(const FILETIME& time) noexcept {
    const auto steps = static_cast<std::int64_t>(
        static_cast<std::uint64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime);
    return (steps - unix_epoch) * 100;
}

file_type type_of(DWORD attributes) noexcept {
    if (attributes & FILE_ATTRIBUTE_REPARSE_POINT) return file_type::symbolic_link;
    return attributes & FILE_ATTRIBUTE_DIRECTORY ? file_type::directory : file_type::regular;
}

std::int64_t status_of(HANDLE file, file_status& status) noexcept {
    BY_HANDLE_FILE_INFORMATION about;
    if (!::GetFileInformationByHandle(file, &about)) return raw_last_error();
    status = {};
    status.type = type_of(about.dwFileAttributes);
    status.permissions = about.dwFileAttributes & FILE_ATTRIBUTE_READONLY ? 0444 : 0666;
    if (status.type == file_type::directory) status.permissions |= 0111;
    status.size = static_cast<std::uint64_t>(about.nFileSizeHigh) << 32 | about.nFileSizeLow;
    status.device = about.dwVolumeSerialNumber;
    status.inode = static_cast<std::uint64_t>(about.nFileIndexHigh) << 32 | about.nFileIndexLow;
    status.links = about.nNumberOfLinks;
    status.modified_ns = status.changed_ns = nanoseconds_of(about.ftLastWriteTime);
    return 0;
}

std::int64_t status(const file_call_arguments& asked, HANDLE target) {
    if (!asked.path) return status_of(target, *asked.status);
    if (const std::int64_t objection = objection_beneath(asked)) return objection;
    const auto path = path_of(asked, asked.path);
    if (!path) return -path.error().value();
    const HANDLE file = ::CreateFileW(path->c_str(), FILE_READ_ATTRIBUTES, share_all, nullptr,
                                      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    if (file == INVALID_HANDLE_VALUE) return raw_last_error();
    std::int64_t outcome = objection_to_place(file, asked, *path);
    if (outcome == 0) outcome = status_of(file, *asked.status);
    ::CloseHandle(file);
    return outcome;
}

// ---- sizes --------------------------------------------------------------------------------------

std::int64_t allocate(HANDLE file, std::uint64_t offset, std::uint64_t size) noexcept {
    constexpr std::uint64_t last = std::numeric_limits<std::int64_t>::max();
    if (size == 0 || offset > last) return -EINVAL;
    if (size > last - offset) return -EFBIG;
    LARGE_INTEGER now{};
    if (!::GetFileSizeEx(file, &now)) return raw_last_error();
    const auto end = static_cast<LONGLONG>(offset + size);
    if (end <= now.QuadPart) return 0;
    FILE_ALLOCATION_INFO room{};
    room.AllocationSize.QuadPart = end;
    if (!::SetFileInformationByHandle(file, FileAllocationInfo, &room, sizeof room) &&
        ::GetLastError() == ERROR_DISK_FULL)
        return -ENOSPC;
    return truncate(file, static_cast<std::uint64_t>(end));
}

// ---- names --------------------------------------------------------------------------------------

std::int64_t rename(const file_call_arguments& asked) {
    const auto from = path_of(asked, asked.path);
    if (!from) return -from.error().value();
    const auto to = path_of(asked, asked.other_path);
    if (!to) return -to.error().value();
    return raw_of_call(::MoveFileExW(from->c_str(), to->c_str(), MOVEFILE_REPLACE_EXISTING));
}

template <class Call>
std::int64_t with_path(const file_call_arguments& asked, Call&& call) {
    const auto path = path_of(asked, asked.path);
    if (!path) return -path.error().value();
    return raw_of_call(call(path->c_str()));
}

result<std::wstring> directory_to_list(const file_call_arguments& asked, HANDLE target) {
    return asked.path ? path_of(asked, asked.path) : final_path_of(target);
}

std::int64_t list(const file_call_arguments& asked, HANDLE target) {
    const auto path = directory_to_list(asked, target);
    if (!path) return -path.error().value();
    const DWORD attributes = ::GetFileAttributesW(path->c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) return raw_last_error();
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) return -ENOTDIR;
    WIN32_FIND_DATAW found;
    const HANDLE search =
        ::FindFirstFileExW((*path + L"\\*").c_str(), FindExInfoBasic, &found, FindExSearchNameMatch,
                           nullptr, FIND_FIRST_EX_LARGE_FETCH);
    if (search == INVALID_HANDLE_VALUE) return raw_last_error();
    asked.entries->clear();
    do {
        const std::wstring_view name = found.cFileName;
        if (name != L"." && name != L"..")
            asked.entries->push_back({narrowed(name), type_of(found.dwFileAttributes)});
    } while (::FindNextFileW(search, &found));
    const DWORD error = ::GetLastError();
    ::FindClose(search);
    return error == ERROR_NO_MORE_FILES ? 0 : raw_of(error);
}

std::int64_t run(const file_call_arguments& asked, HANDLE target) {
    switch (asked.what) {
        case file_call::open:
            return open(asked);
        case file_call::status:
            return status(asked, target);
        case file_call::sync:
        case file_call::sync_data:
            return raw_of_call(::FlushFileBuffers(target));
        case file_call::truncate:
            return truncate(target, asked.size);
        case file_call::allocate:
            return allocate(target, asked.offset, asked.size);
        case file_call::rename:
            return rename(asked);
        case file_call::remove_file:
            return with_path(asked, ::DeleteFileW);
        case file_call::make_directory:
            return with_path(asked, [](LPCWSTR path) { return ::CreateDirectoryW(path, nullptr); });
        case file_call::remove_directory:
            return with_path(asked, ::RemoveDirectoryW);
        case file_call::list_directory:
            return list(asked, target);
        case file_call::set_permissions:  // there are no such bits
        case file_call::copy:
            break;
    }
    return raw_error(errc::unsupported);
}

}  // namespace

std::int64_t run_file_call(const file_call_arguments& asked, handle_record* target) noexcept {
    try {
        return run(asked, native_of(target));
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

}  // namespace upcall
