#include <filesystem>
#include <stdexcept>

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

namespace {

/// The whole computer loses its power, and its programs with it: `start_again` makes new ones.
class simulated_disk final : public mortal_disk {
  public:
    simulated_disk(sim_kernel& kernel, std::function<void()> start_again)
        : kernel_(&kernel), start_again_(std::move(start_again)) {}

    const std::string& path() const override { return root_; }
    void cut() const override { kernel_->power_off(sim_host::first); }
    void restart() override { start_again_(); }
    void become_read_only() const override {
        throw std::logic_error("a simulated disk does not become read-only");
    }

  private:
    sim_kernel* kernel_;
    std::function<void()> start_again_;
    std::string root_;  // "": its files are "/name"
};

}  // namespace

// What of the rest reaches the disk is drawn, so that one run says little.
void conformance_case::with_simulated_disks(const std::function<void(mortal_disk& disk)>& body) {
    constexpr std::uint64_t seeds = 20;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        home_.reset();
        sim_options options;
        options.seed = seed;
        kernel_ = std::make_unique<sim_kernel>(options);
        home_ = another_loop();
        simulated_disk disk(*kernel_, [this] {
            home_.reset();
            kernel_->power_on(sim_host::first);
            home_ = another_loop();
        });
        body(disk);
        check_loop();
    }
}

void conformance_case::with_mortal_disk(const std::function<void(mortal_disk& disk)>& body) {
    if (kernel_) return with_simulated_disks(body);
    const std::string below = scratch("below");
    const std::string where = scratch("disk");
    std::filesystem::create_directories(below);
    std::filesystem::create_directories(where);
    std::unique_ptr<mounted_disk> disk;
    in_child(
        [&] {
            body(*disk);
            end_loop();
            disk.reset();
        },
        [&]() -> std::string {
            if (std::string refused = enter_own_mounts(); !refused.empty()) return refused;
            disk = std::make_unique<mounted_disk>(below, where);
            return disk->make();
        });
}

}  // namespace upcall::test
