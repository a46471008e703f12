#include "conformance/fixture.hpp"
#include "conformance/posix/file_systems.hpp"
#include "conformance/posix/stalling_files.hpp"

namespace upcall::test {

void conformance_case::with_stalling_files(
    const std::function<void(stalling_files& files, const std::string& path)>& body) {
    const std::string folder = scratch("");
    std::unique_ptr<stalling_files> files;
    in_child(
        [&] {
            body(*files, folder + "/data");
            end_loop();
            files.reset();
        },
        [&]() -> std::string {
            if (std::string refused = enter_own_mounts(); !refused.empty()) return refused;
            files = std::make_unique<stalling_files>(folder);
            return files->refused();
        });
}

}  // namespace upcall::test
