#include <upcall/driver/host_file.hpp>

#if defined(__linux__)

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string_view>

#include "driver/host/linux/system_files.hpp"

namespace upcall {
namespace {

// The part of struct statx that a C library of 2023 does not know yet (statx(2), 6.1 and 6.14).
struct statx_answer {
    std::uint32_t mask;
    std::uint32_t block_size;
    std::byte unused[144];
    std::uint32_t direct_memory_alignment;
    std::uint32_t direct_offset_alignment;
    std::byte unused2[20];
    std::uint32_t direct_read_offset_alignment;
    std::byte spare[72];
};
static_assert(sizeof(statx_answer) == 256);
static_assert(offsetof(statx_answer, direct_memory_alignment) == 0x98);
static_assert(offsetof(statx_answer, direct_read_offset_alignment) == 0xb4);

constexpr unsigned mask_direct_alignment = 0x2000;        // STATX_DIOALIGN, 6.1
constexpr unsigned mask_direct_read_alignment = 0x20000;  // STATX_DIO_READ_ALIGN, 6.14

class descriptor {
  public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }

  private:
    int fd_;
};

// mount(8)'s name of the file system on a device: "id parent major:minor root point … - type …".
std::string type_of_device(dev_t device) {
    const auto table = host_probe::system_files{}.read("/proc/self/mountinfo");
    if (!table) return {};
    const std::string wanted =
        std::to_string(gnu_dev_major(device)) + ':' + std::to_string(gnu_dev_minor(device));
    for (const std::string_view line : host_probe::split(*table, '\n')) {
        const auto words = host_probe::split(line, ' ');
        if (words.size() < 3 || words[2] != wanted) continue;
        for (std::size_t i = 6; i + 1 < words.size(); ++i)
            if (words[i] == "-") return std::string(words[i + 1]);
    }
    return {};
}

// True if the kernel knew the answer.
bool ask_statx(int fd, file_system_facts& facts) {
    statx_answer answer{};
    if (::syscall(SYS_statx, fd, "", AT_EMPTY_PATH,
                  mask_direct_alignment | mask_direct_read_alignment, &answer) != 0)
        return false;
    if (!(answer.mask & mask_direct_alignment)) return false;
    facts.source = "statx";
    if (answer.direct_offset_alignment == 0) {
        facts.direct_io = file_system_facts::direct::unsupported;
        return true;
    }
    facts.direct_io = file_system_facts::direct::supported;
    facts.memory_alignment = answer.direct_memory_alignment;
    facts.offset_alignment = answer.direct_offset_alignment;
    facts.read_offset_alignment = answer.mask & mask_direct_read_alignment
                                      ? answer.direct_read_offset_alignment
                                      : answer.direct_offset_alignment;
    return true;
}

// Where statx does not tell, opening does, though not about alignment. Then a page is assumed: the
// kernels that do not tell allow no larger logical blocks.
void try_opening(int fd, file_system_facts& facts) {
    const std::string same = "/proc/self/fd/" + std::to_string(fd);
    const descriptor direct(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT));
    if (direct.get() < 0 && errno != EINVAL) return;
    facts.source = "open";
    if (direct.get() < 0) {
        facts.direct_io = file_system_facts::direct::unsupported;
        return;
    }
    const auto page = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    facts.direct_io = file_system_facts::direct::supported;
    facts.memory_alignment = facts.offset_alignment = facts.read_offset_alignment = page;
}

}  // namespace

result<file_system_facts> probe_file_system(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0)
        return failure(std::error_code(errno, std::generic_category()));
    file_system_facts facts;
    facts.type = type_of_device(status.st_dev);
    facts.preferred_size = static_cast<std::uint32_t>(status.st_blksize);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISBLK(status.st_mode))
        return facts;
    // O_PATH, because opening a device for real may start it, and a file may not be readable.
    const descriptor file(S_ISDIR(status.st_mode)
                              ? ::open(path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
                              : ::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (file.get() < 0) return facts;
    if (!ask_statx(file.get(), facts) && !S_ISBLK(status.st_mode)) try_opening(file.get(), facts);
    return facts;
}

}  // namespace upcall

#endif
