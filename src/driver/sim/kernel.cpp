#include <cerrno>
#include <memory>
#include <utility>

#include <upcall/driver/sim_kernel.hpp>

#include "driver.hpp"
#include "machine.hpp"

namespace upcall {

sim_kernel::sim_kernel(const sim_options& options) : sim_kernel(options, choices(options.seed)) {}

sim_kernel::sim_kernel(const sim_options& options, choices chosen)
    : machine_(std::make_unique<sim::machine>(options, std::move(chosen))) {}

sim_kernel::~sim_kernel() = default;

time_point sim_kernel::now() const noexcept { return machine_->now(); }
choices& sim_kernel::chosen() noexcept { return machine_->choice; }
std::uint64_t sim_kernel::digest() const noexcept { return machine_->digest(); }
std::uint64_t sim_kernel::outcomes() const noexcept { return machine_->outcomes(); }
std::size_t sim_kernel::open_descriptors() const noexcept { return machine_->descriptors(); }

void sim_kernel::trace(void (*notify)(void*, const sim_event&) noexcept, void* argument) noexcept {
    machine_->tracer = notify;
    machine_->tracer_argument = argument;
}

void sim_kernel::on_stall(void (*notify)(void*) noexcept, void* argument) noexcept {
    machine_->stalled = notify;
    machine_->stalled_argument = argument;
}

result<void> sim_kernel::close(native_handle native) noexcept {
    if (!machine_->close(native)) return sim::errno_failure(EBADF);
    return {};
}

std::unique_ptr<driver> make_sim_driver(sim_kernel& kernel, const driver_environment& lent) {
    return std::make_unique<sim::sim_driver>(kernel.inside(), lent);
}

}  // namespace upcall
