#include "lab/scratch.hpp"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "lab/findings.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr std::uint64_t piece_bytes = 1 << 20;

// Not all zeros, which some disks do not store.
std::vector<std::uint64_t> noise() {
    std::vector<std::uint64_t> words(piece_bytes / sizeof(std::uint64_t));
    std::uint64_t state = 88172645463325252U;
    for (std::uint64_t& word : words) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        word = state;
    }
    return words;
}

owned_fd named_for_a_moment(const std::string& directory) {
    std::string name = directory + "/.upcall-lab-" + std::string(6, 'X');  // mkstemp(3) fills it in
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) throw lab_error(failed("make a file in '" + directory + "'", errno));
    ::unlink(name.c_str());
    return owned_fd(fd);
}

}  // namespace

owned_fd unnamed_file(const std::string& directory) {
    // Not every file system has O_TMPFILE.
    const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? owned_fd(fd) : named_for_a_moment(directory);
}

std::uint64_t room_in(const std::string& directory) {
    struct statvfs about{};
    if (::statvfs(directory.c_str(), &about) != 0)
        throw lab_error(failed("look at '" + directory + "'", errno));
    return static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
}

owned_fd filled_file(const std::string& directory, std::uint64_t bytes) {
    if (const std::uint64_t room = room_in(directory); room < bytes)
        throw lab_error("needs " + in_bytes(static_cast<double>(bytes)) + " in '" + directory +
                        "', which has " + in_bytes(static_cast<double>(room)) +
                        " free; --dir names another place");
    owned_fd made = unnamed_file(directory);
    const auto words = noise();
    for (std::uint64_t done = 0; done < bytes;) {
        const auto count =
            ::pwrite(made.get(), words.data(), piece_bytes, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0)
            throw lab_error(failed("write " + in_bytes(static_cast<double>(bytes)) + " in '" +
                                       directory + "' (" + in_bytes(static_cast<double>(done)) +
                                       " were written)",
                                   count == 0 ? ENOSPC : errno));
        done += static_cast<std::uint64_t>(count);
    }
    if (::fsync(made.get()) != 0)
        throw lab_error(failed("sync a file in '" + directory + "'", errno));
    return made;
}

std::string path_of(int file) { return "/proc/self/fd/" + std::to_string(file); }

owned_fd open_again(int file, int flags) {
    const int fd = ::open(path_of(file).c_str(), flags | O_CLOEXEC);
    if (fd < 0) throw lab_error(failed("open " + path_of(file) + " again", errno));
    return owned_fd(fd);
}

std::string file_system_of(const std::string& directory) {
    struct statfs about{};
    if (::statfs(directory.c_str(), &about) != 0) return "unknown";
    struct known {
        unsigned long magic;
        const char* name;
    };
    // statfs(2)
    constexpr std::array all{
        known{0xef53, "ext4"},    known{0x01021994, "tmpfs"}, known{0x794c7630, "overlay"},
        known{0x58465342, "xfs"}, known{0x9123683e, "btrfs"}, known{0x2fc12fc1, "zfs"},
        known{0x6969, "nfs"},     known{0x65735546, "fuse"},  known{0xf2f52010, "f2fs"}};
    const auto found = static_cast<unsigned long>(about.f_type);
    for (const known& each : all)
        if (each.magic == found) return each.name;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "0x%lx", found);
    return text.data();
}

}  // namespace upcall_lab
