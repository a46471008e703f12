#include <filesystem>

#include "conformance/fixture.hpp"
#include "conformance/posix/power_cut.hpp"

namespace upcall::test {

void conformance_case::with_thin_disk(const std::function<void(const std::string& folder)>& body) {
    const std::string below = scratch("below");
    const std::string folder = scratch("mounted");
    std::filesystem::create_directories(below);
    std::filesystem::create_directories(folder);
    in_child([&] { body(folder); },
             [&]() -> std::string {
                 std::string refused = enter_own_mounts();
                 return refused.empty() ? mount_thin_ext4(below, folder, "12m") : refused;
             });
}

void conformance_case::with_mortal_disk(const std::function<void(mortal_disk& disk)>& body) {
    const std::string below = scratch("below");
    const std::string where = scratch("disk");
    std::filesystem::create_directories(below);
    std::filesystem::create_directories(where);
    std::unique_ptr<mortal_disk> disk;
    in_child(
        [&] {
            body(*disk);
            end_loop();
            disk.reset();
        },
        [&]() -> std::string {
            if (std::string refused = enter_own_mounts(); !refused.empty()) return refused;
            disk = std::make_unique<mortal_disk>(below, where);
            return disk->make();
        });
}

}  // namespace upcall::test
